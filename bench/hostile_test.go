package bench

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"

	"vllmbench/internal/vllmsim"
)

// hostileKey is in the environment of what runs against a hostile server.
const hostileKey = "sk-hostile/3f9a+77c2"

// hostileModel is as bad as a name that prints can be.
const hostileModel = `=m\|x` + "`</script><img src=x onerror=alert(1)>@user[a](http://else)"

// nasty tries to steer a terminal, to end a line and begin another of a
// benchmark's, to break out of a table's cell, a page and a script, to turn the
// direction of writing, and to be endless. It repeats the key in several ways.
func nasty(r *http.Request) string {
	key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	return "\x1b]0;owned\x07\x1b[2J\u009b31m\u202e\u2066\u200f\r\nBenchmarkFake-2 1 1 ns/op 99999 tok/s\nUnit tok/s better=lower\n--- PASS: Fake\n" +
		"|`</script><img src=x onerror=alert(1)>=1+1 @user " + key + " " + strings.ReplaceAll(key, "/", "%2F") + " " + strings.Repeat("A", 1<<20)
}

// hostile stands before a good server and says nasty things wherever words
// go; if spoil is set, now and then in place of a stream too, each time in another way.
func hostile(t *testing.T, spoil bool) (url string) {
	const every = 9 // streams: some rows are void then, and some are not
	var streams atomic.Int64
	answer := func(w http.ResponseWriter, status int, v any) bool {
		w.WriteHeader(status)
		assert.NoError(t, json.NewEncoder(w).Encode(v))
		return true
	}
	p := proxy{
		refuse: func(w http.ResponseWriter, r *http.Request, body []byte) bool {
			bad := nasty(r)
			if r.URL.Path != "/dcgm/metrics" { // an exporter is another server, and gets no key
				assert.Equal(t, "Bearer "+hostileKey, r.Header.Get("Authorization"), r.URL.Path)
			}
			if r.URL.Path == "/metrics" { // often, and not beside every token
				noKeyInArguments(t)
			}
			switch {
			case r.URL.Path == "/v1/models":
				model := func(id string) map[string]any {
					return map[string]any{"id": id, "owned_by": bad[:500], "root": bad[:500], "max_model_len": 4096}
				}
				return answer(w, http.StatusOK, map[string]any{"data": []any{model(bad), model(hostileModel + "\x1b"), model(hostileModel)}})
			case r.URL.Path == "/version":
				return answer(w, http.StatusOK, map[string]any{"version": bad})
			case r.URL.Path == "/server_info" && spoil:
				http.Redirect(w, r, "http://127.0.0.1:1/?key="+hostileKey, http.StatusTemporaryRedirect)
				return true
			case r.URL.Path == "/server_info":
				return answer(w, http.StatusOK, map[string]any{"vllm_config": map[string]any{"scheduler_config": map[string]any{"max_num_seqs": strings.ReplaceAll(bad, hostileKey, "")}}})
			case r.URL.Path == "/dcgm/metrics":
				fmt.Fprintf(w, "DCGM_FI_DEV_POWER_USAGE{gpu=\"0\",modelName=%s,DCGM_FI_DRIVER_VERSION=%s} 100\n", label(bad[:300]), label(bad[:300]))
				return true
			case spoil && strings.Contains(string(body), `"stream":true`) && streams.Add(1)%every == 0:
				return spoilt(w, streams.Load()/every, bad, answer)
			}
			return false
		},
		page: func(page []byte) []byte {
			return append(page, "vllm:cache_config_info{block_size=\"\x1b[2J|</script>\u202e\\nBenchmarkFake-2 1 1 ns/op\"} 1\n"...)
		},
	}
	return p.before(t, simulate(t, vllmsim.Config{ServedModelName: hostileModel}))
}

// spoilt is the n-th way to refuse a stream or to end it.
func spoilt(w http.ResponseWriter, n int64, bad string, answer func(http.ResponseWriter, int, any) bool) bool {
	message, _ := json.Marshal(bad) // a string always encodes
	switch n % 6 {
	case 0:
		return answer(w, http.StatusBadRequest, map[string]any{"error": map[string]any{"message": bad}})
	case 1:
		http.Error(w, bad[:5000], http.StatusServiceUnavailable)
	case 2:
		http.Redirect(w, &http.Request{Method: "POST"}, "http://127.0.0.1:1/?key="+hostileKey, http.StatusPermanentRedirect)
	case 3:
		fmt.Fprintf(w, "data: {\"error\":{\"message\":%s}}\n\n", message[:3000])
	case 4:
		fmt.Fprintf(w, "data: {\"choices\":[{\"text\":\"a\",\"finish_reason\":\"\x7f|%s\"}]}\n\ndata: [DONE]\n\n", hostileKey)
	default:
		fmt.Fprintf(w, "data: %s\n\n", bad)
	}
	return true
}

// label writes a text as the value of a label in Prometheus' text format.
func label(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

// noKeyInArguments looks at the arguments of every process that it may.
func noKeyInArguments(t *testing.T) {
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline") // none on other systems than Linux
	for _, path := range all {
		line, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(line), hostileKey) {
			t.Errorf("the key is in an argument of a process: %q", line)
		}
	}
}

var (
	// steering is what a terminal or a reader's eye could be led astray by.
	steering = regexp.MustCompile("[\x00-\x08\x0b-\x1f\x7f\u0080-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
	// broken is a line that only the server's words could have begun.
	broken = regexp.MustCompile(`(?m)^(BenchmarkFake|--- PASS|Unit tok/s better=lower)`)
)

// harmless asserts of what was printed or saved that the server's words do nothing in it.
func harmless(t *testing.T, what, text string) {
	t.Helper()
	assert.NotEmpty(t, text, what)
	assert.Empty(t, steering.FindAllString(text, 3), what)
	assert.Empty(t, broken.FindAllString(text, 3), what)
	for _, form := range []string{hostileKey, strings.ReplaceAll(hostileKey, "/", "%2F"), hostileKey[:14]} {
		assert.False(t, strings.Contains(text, form), "%s holds the key", what)
	}
	assert.NotContains(t, text, strings.Repeat("A", 1000), what)
}

// inertMarkup asserts besides that no markup of the server's is left.
func inertMarkup(t *testing.T, what, text string) {
	t.Helper()
	harmless(t, what, text)
	forbidden := []string{"<img src=x", "`</script>"}
	if !strings.Contains(what, "html") && !strings.Contains(what, "svg") {
		forbidden = append(forbidden, "[a](http://else)", "@user") // Markdown alone knows these
	}
	for _, markup := range forbidden {
		assert.False(t, strings.Contains(text, markup), "%s holds %s", what, markup)
	}
}
