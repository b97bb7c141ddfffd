package bench

import (
	"flag"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"vllmbench/internal/measure"
	"vllmbench/internal/progress"
)

// showProgress begins to show on the terminal how far the run is, if there is one.
func (s *session) showProgress() {
	if flags.progress == "off" {
		return
	}
	t, err := progress.OpenTerminal()
	if err != nil {
		return // as in every pipeline: nobody looks
	}
	s.line = progress.New(t, s.plan())
}

// plan is what will run.
func (s *session) plan() progress.Plan {
	value := func(name string) string { return flag.Lookup(name).Value.String() }
	p := progress.Plan{}
	cells := slices.Concat([]measure.Cell{latencyCell()}, seqLenCells(), throughputCells())
	for _, e := range extras {
		if e.chosen() {
			cells = append(cells, e.cells()...)
		}
	}
	for _, c := range cells {
		name := "Benchmark" + c.Name
		skip := value("test.skip")
		if s.holds(c) && matches(value("test.bench"), name) && (skip == "" || !matches(skip, name)) {
			p.Cells = append(p.Cells, c.Name)
		}
	}
	p.Rounds, _ = strconv.Atoi(value("test.count")) // go test has checked it
	if n, ok := strings.CutSuffix(value("test.benchtime"), "x"); ok {
		p.Ops, _ = strconv.Atoi(n)
	} else {
		p.Time, _ = time.ParseDuration(value("test.benchtime"))
	}
	return p
}

// matches says whether a pattern of go test chooses a benchmark: alternatives
// apart by |, each a regular expression for every part of the name. See go help testflag.
func matches(pattern, name string) bool {
	return slices.ContainsFunc(outside(pattern, '|'), func(one string) bool {
		parts := strings.Split(name, "/")
		for i, expr := range outside(one, '/') {
			if i == len(parts) {
				break
			}
			if ok, err := regexp.MatchString(expr, parts[i]); err != nil || !ok {
				return false
			}
		}
		return true
	})
}

// outside splits a pattern at each sep that is outside its brackets.
func outside(pattern string, sep byte) (parts []string) {
	depth, from := 0, 0
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\':
			i++
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth--
		case c == sep && depth == 0:
			parts = append(parts, pattern[from:i])
			from = i + 1
		}
	}
	return append(parts, pattern[from:])
}

func TestMatches(t *testing.T) {
	for pattern, want := range map[string][]string{
		".":                             {"Latency", "SeqLen/prompt=10/output=8", "Throughput/batch=1", "Throughput/batch=16"},
		"Throughput":                    {"Throughput/batch=1", "Throughput/batch=16"},
		"Throughput/batch=1$":           {"Throughput/batch=1"},
		"Throughput/batch=(1|16)$":      {"Throughput/batch=1", "Throughput/batch=16"},
		"Lat|Through/batch=16":          {"Latency", "Throughput/batch=16"},
		"SeqLen/prompt=10/output=[8/]$": {"SeqLen/prompt=10/output=8"},
		"//output":                      {"Latency", "SeqLen/prompt=10/output=8", "Throughput/batch=1", "Throughput/batch=16"},
		`Latency\|`:                     nil,
		"(":                             nil,
	} {
		var got []string
		for _, name := range []string{"Latency", "SeqLen/prompt=10/output=8", "Throughput/batch=1", "Throughput/batch=16"} {
			if matches(pattern, "Benchmark"+name) {
				got = append(got, name)
			}
		}
		assert.Equal(t, want, got, pattern)
	}
}
