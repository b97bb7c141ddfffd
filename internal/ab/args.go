package ab

import (
	"fmt"
	"strings"
)

// goTest names the flags that go test hands to a test binary as -test.NAME
// and that make sense for a leg.
var goTest = map[string]bool{
	"bench": true, "benchmem": true, "benchtime": true, "cpu": true, "shuffle": true, "skip": true, "timeout": true, "v": true,
}

// refused names flags that a leg cannot have, and what to do instead.
var refused = map[string]string{
	"api-key":  "give the key in VLLM_API_KEY, where other users of this machine cannot see it",
	"ca":       "name it before --",
	"count":    "name the number of blocks with -blocks: each is two repetitions a side",
	"explain":  "run it with go test ./bench -explain",
	"insecure": "say it before --",
	"list":     "run it with go test ./bench -list",
	"profile":  "profile each server in a run of its own",
	"record":   "use the -record of vllmbench ab, which keeps the legs apart",
	"run":      "only benchmarks run here",
	"url":      "name the servers with -a and -b, or with -url",
}

// testArgs returns args, written as for go test, as a test binary takes them.
// Values stay as they are, joined by "=" or behind a blank.
func testArgs(args []string) ([]string, error) {
	out := make([]string, len(args))
	for i, arg := range args {
		name, value, joined := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-"), "=")
		bare := strings.TrimPrefix(name, "test.")
		out[i] = arg
		if !strings.HasPrefix(arg, "-") {
			continue
		}
		if instead, bad := refused[bare]; bad {
			return nil, fmt.Errorf("-%s is not for the benchmarks of an A/B run: %s", bare, instead)
		}
		if goTest[bare] {
			out[i] = "-test." + bare
			if joined {
				out[i] += "=" + value
			}
		}
	}
	return out, nil
}
