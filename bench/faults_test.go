package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/vllmsim"
)

// TestFaults is what each fault of a server makes of a row: no result line, but
// a reason, and a failure's exit status.
func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault proxy
		args  []string
		want  string
	}{
		{"no [DONE]", proxy{events: drop("[DONE]")}, nil,
			`1 failed \(truncated\): the stream closed without \[DONE\] after 9 events`},
		{"no usage", proxy{events: drop(`"choices":[]`)}, nil,
			`1 failed \(truncated\): the stream ended without usage, so its tokens cannot be counted`},
		{"an event lost", proxy{events: drop(`"finish_reason":"length"`)}, nil,
			`1 failed \(truncated\): the stream ended without a finish reason`},
		{"an error in the stream", proxy{events: breakdown}, nil,
			`1 failed \(stream_error\): EngineCore encountered an issue`},
		{"an output too short", proxy{ask: set("max_tokens", 5, "min_tokens", 5)}, nil,
			`1 failed \(wrong_length\): the server generated 5 tokens, not 8`},
		{"a prompt cut", proxy{ask: set("prompt", []int{1, 2, 3})}, nil,
			`1 failed \(wrong_length\): the server counted 3 prompt tokens, not 10`},
		{"HTTP 500", proxy{refuse: refuse(http.StatusInternalServerError, "out of memory")}, nil,
			`1 failed \(http_5xx\): HTTP 500: out of memory`},
		{"HTTP 429", proxy{refuse: refuse(http.StatusTooManyRequests, "slow down")}, nil,
			`1 failed \(http_4xx\): HTTP 429: slow down`},
		{"a token counted twice", miscount(+1), nil,
			`^void: ledger: the server counted \d more generated tokens than the \d+ of ours \(another client, or a request repeated\)$`},
		{"a token not counted", miscount(-1), nil,
			`^void: ledger: the server counted \d fewer generated tokens than the \d+ of ours \(a router before several servers, or counters behind\?\)$`},
		{"prompts from the cache", proxy{ask: set("cache_salt", "s", "prompt", make([]int, 64))}, []string{"-prompt=64"},
			`^void: prefix cache hits: \d+ prompt tokens, although every prompt is new \(does something else share this server\?\)$`},
		{"counters lost", proxy{refuse: loseCounters()}, nil,
			`^void: ledger: http://\S+ gives no metrics \(GET /metrics: 503 Service Unavailable\)`},
		{"connections closed", proxy{refuse: hangUp()}, nil,
			`^void: \d+ connections were opened inside the window: their handshakes are in its times$`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url := tt.fault.before(t, simulate(t, vllmsim.Config{}))
			c := runChild(t, append(tiny("-url="+url, "-test.bench=Latency"), tt.args...)...)
			assert.Regexp(t, tt.want, voided(t, c))
		})
	}
}

// voided is the one reason for which the run of one cell failed.
func voided(t *testing.T, c *child) string {
	t.Helper()
	assert.Equal(t, 1, c.status())
	assert.Empty(t, c.results(), "a void row has a result line")
	m := regexp.MustCompile(`(?m)^--- FAIL: Benchmark\S+\n    \w+\.go:\d+: (.*)\n(?:\S|\z)`).FindAllStringSubmatch(c.stdout.String(), -1)
	require.Len(t, m, 1, c.all())
	t.Logf("exit status %d: %s", c.status(), m[0][1])
	return m[0][1]
}

// TestForeignTraffic has somebody else use the server.
func TestForeignTraffic(t *testing.T) {
	t.Parallel()
	url := simulate(t, vllmsim.Config{})
	ctx, stop := context.WithCancel(t.Context())
	var foreign sync.WaitGroup
	foreign.Go(func() {
		for ctx.Err() == nil {
			const body = `{"model":"Qwen/Qwen2.5-7B","prompt":[1,2,3],"max_tokens":2}`
			req, _ := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/completions", strings.NewReader(body))
			req.Header.Set("Content-Type", "application/json")
			if resp, err := http.DefaultClient.Do(req); err == nil {
				resp.Body.Close()
			}
		}
	})
	c := runChild(t, tiny("-url="+url, "-test.bench=Latency")...)
	stop()
	foreign.Wait()
	assert.Regexp(t, `^void: ledger: \d+ requests?, \d+ prompt tokens and \d+ generated tokens? are not ours: somebody else uses the server`, voided(t, c))
}

// drop takes out the events that hold text.
func drop(text string) func() func([]byte) []byte {
	return func() func([]byte) []byte {
		return func(event []byte) []byte {
			if bytes.Contains(event, []byte(text)) {
				return nil
			}
			return event
		}
	}
}

// breakdown is vLLM's engine dying behind its API server after three tokens.
func breakdown() func([]byte) []byte {
	n := 0
	return func(event []byte) []byte {
		switch n++; {
		case n == 4:
			return []byte(`data: {"error":{"message":"EngineCore encountered an issue.","type":"InternalServerError","code":500}}` + "\n\n")
		case n > 4 && !bytes.Contains(event, []byte("[DONE]")):
			return nil
		}
		return event
	}
}

// set changes fields of a streamed request.
func set(pairs ...any) func([]byte) []byte {
	return func(body []byte) []byte {
		var fields map[string]any
		if json.Unmarshal(body, &fields) != nil || fields["stream"] != true {
			return body
		}
		for i := 0; i < len(pairs); i += 2 {
			fields[pairs[i].(string)] = pairs[i+1]
		}
		body, _ = json.Marshal(fields)
		return body
	}
}

// streamed says whether a request asks for a stream, as all that are measured do.
func streamed(r *http.Request, body []byte) bool {
	return generates(r.URL.Path) && bytes.Contains(body, []byte(`"stream":true`))
}

// refuse answers what comes after the warm-up with an HTTP error.
func refuse(status int, message string) func(http.ResponseWriter, *http.Request, []byte) bool {
	var n atomic.Int32
	return func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		if !streamed(r, body) || n.Add(1) < 2 {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"error":{"message":%q,"type":"Error","code":%d}}`, message, status)
		return true
	}
}

// loseCounters answers GET /metrics until the load has begun.
func loseCounters() func(http.ResponseWriter, *http.Request, []byte) bool {
	var n atomic.Int32
	return func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		if streamed(r, body) {
			n.Add(1)
		}
		if r.URL.Path != "/metrics" || n.Load() < 2 { // the first is the warm-up
			return false
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
}

// hangUp closes the connection after each stream, as a router may.
func hangUp() func(http.ResponseWriter, *http.Request, []byte) bool {
	return func(w http.ResponseWriter, _ *http.Request, _ []byte) bool {
		w.Header().Set("Connection", "close")
		return false
	}
}

var generated = regexp.MustCompile(`(?m)^(vllm:generation_tokens_total\S* )(\S+)$`)

// miscount makes the server's counter of tokens wrong by n a request.
func miscount(n int) proxy {
	var requests atomic.Int64
	return proxy{
		ask: func(body []byte) []byte {
			requests.Add(1)
			return body
		},
		page: func(page []byte) []byte {
			return generated.ReplaceAllFunc(page, func(line []byte) []byte {
				m := generated.FindSubmatch(line)
				v, _ := strconv.ParseFloat(string(m[2]), 64)
				return fmt.Appendf(nil, "%s%g", m[1], v+float64(int64(n)*requests.Load()))
			})
		},
	}
}
