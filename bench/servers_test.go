package bench

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/measure"
	"vllmbench/internal/vllmsim"
)

// TestServers is a valid run against each sort of server that a user may have.
func TestServers(t *testing.T) {
	only := func(paths ...string) proxy { return proxy{anonymous: true, refuse: offer(paths, "")} }
	strict := proxy{anonymous: true, refuse: offer([]string{"/v1/models", "/v1/completions"}, "ignore_eos"), ask: set("max_tokens", 6)}

	for _, tt := range []struct {
		name  string
		proxy proxy
		args  []string
		want  []string // on standard output
	}{
		{"vLLM's API", proxy{}, nil,
			[]string{"server: vllmsim\n", "workload: completions, token-id prompts, exact output length, prompt=10/output=8 unless named", "# stamps: "}},
		{"stamps of the client", proxy{}, []string{"-user-stamps"},
			[]string{"# stamps: user; "}},
		{"chat", proxy{}, []string{"-endpoint=chat"},
			[]string{"workload: chat, text prompts of exact length, exact output length", "# chat template: adds 5 tokens to a message", "# prompt lengths: exact by the server's own tokenizer"}},
		{"another server that takes vLLM's fields", only("/v1/models", "/v1/completions"), nil,
			[]string{"server: openai-compatible\n", "workload: completions, text prompts, exact output length", "version unknown"}},
		{"the same without them", only("/v1/models", "/v1/completions"), []string{"-extensions=off"},
			[]string{"workload: completions, text prompts, output length up to the model"}},
		{"a server that refuses vLLM's fields and stops early", strict, nil,
			[]string{"workload: completions, text prompts, output length up to the model"}},
		{"chat alone", only("/v1/models", "/v1/chat/completions"), []string{"-endpoint=chat"},
			[]string{"workload: chat, text prompts, exact output length"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := runChild(t, tiny(append(tt.args, "-url="+tt.proxy.before(t, simulate(t, vllmsim.Config{})))...)...)
			assert.Zero(t, c.status(), c.all())
			assert.Equal(t, tinyCells, c.cells())
			assert.Empty(t, c.stderr.String())
			for _, part := range tt.want {
				assert.Contains(t, c.stdout.String(), part)
			}
			var missing []string
			if tt.proxy.anonymous {
				missing = []string{"GET /version (404 Not Found)", "GET /server_info (404 Not Found)", "POST /tokenize (404 Not Found)", "GET /metrics (404 Not Found)"}
			}
			assert.Equal(t, missing, c.comments("not offered: "))
			shownOrNamed(t, c, func(m measure.Metric) bool { return m.Default })
		})
	}
}

// offer answers every other path than paths with 404, and requests with the field with 400.
func offer(paths []string, field string) func(http.ResponseWriter, *http.Request, []byte) bool {
	return func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		for _, path := range paths {
			if r.URL.Path == path && (field == "" || !bytes.Contains(body, []byte(`"`+field+`"`))) {
				return false
			}
			if r.URL.Path == path {
				http.Error(w, `{"error":{"message":"unknown field `+field+`"}}`, http.StatusBadRequest)
				return true
			}
		}
		w.WriteHeader(http.StatusNotFound)
		return true
	}
}

// TestSeveralTokensAnEvent is a server with --stream-interval 2: usage is asked
// for on every event, so that tokens are counted and not events.
func TestSeveralTokensAnEvent(t *testing.T) {
	t.Parallel()
	var plain, continuous atomic.Int32
	pairs := proxy{events: inPairs, ask: func(body []byte) []byte {
		if bytes.Contains(body, []byte(`"continuous_usage_stats":true`)) {
			continuous.Add(1)
		} else if bytes.Contains(body, []byte(`"stream":true`)) {
			plain.Add(1)
		}
		return body
	}}
	c := runChild(t, tiny("-url="+pairs.before(t, simulate(t, vllmsim.Config{})), "-metrics=tok/s,tok/event,p50-itl-ns,out-tok/req")...)
	assert.Zero(t, c.status(), c.all())
	assert.Equal(t, tinyCells, c.cells())
	for _, r := range c.results() {
		for metric, want := range map[string]float64{"tok/event": 2, "out-tok/req": 8} {
			got, ok := r.Value(metric)
			assert.True(t, ok, metric)
			assert.Equal(t, want, got, metric)
		}
		_, ok := r.Value("sec/op")
		assert.True(t, ok)
	}
	assert.EqualValues(t, 1+1+1+2, plain.Load(), "requests of the warm-ups, which see events of two tokens")
	assert.Greater(t, continuous.Load(), int32(12))
	assert.Len(t, c.comments("events carry several tokens, so usage was asked for on each of them in Latency SeqLen/"), 1)

	c = runChild(t, tiny("-url="+pairs.before(t, simulate(t, vllmsim.Config{})), "-extensions=off", "-test.bench=Latency")...)
	assert.Zero(t, c.status(), c.all())
	assert.Len(t, c.cells(), 1)
	assert.Empty(t, c.comments("events carry several tokens"))
	assert.Regexp(t, `# left out: p50-itl-ns in every row, because: \S+ % of the tokens came in events that do not tell how many they carry`, c.stdout.String())
}

// inPairs joins each two events that bear a token.
func inPairs() func([]byte) []byte {
	type choice struct {
		Text         string  `json:"text"`
		FinishReason *string `json:"finish_reason"`
	}
	type chunk struct {
		Choices []choice        `json:"choices"`
		Usage   json.RawMessage `json:"usage,omitempty"`
	}
	text := ""
	return func(event []byte) []byte {
		var c chunk
		payload, _ := bytes.CutPrefix(event, []byte("data: "))
		if json.Unmarshal(payload, &c) != nil || len(c.Choices) == 0 {
			return event
		}
		if text == "" {
			text = c.Choices[0].Text
			return nil
		}
		c.Choices[0].Text = text + c.Choices[0].Text
		text = ""
		payload, _ = json.Marshal(c)
		return append(append([]byte("data: "), payload...), "\n\n"...)
	}
}

// TestShortContext has cells of the defaults that the server cannot hold.
func TestShortContext(t *testing.T) {
	t.Parallel()
	url := "-url=" + simulate(t, vllmsim.Config{MaxModelLen: 100})
	c := runChild(t, url, "-test.bench=Latency|SeqLen", "-test.count=2", "-outputs=4,8", "-prompts=10")
	assert.Zero(t, c.status(), c.all())
	assert.Len(t, c.results(), 4)
	assert.Equal(t, []string{"Latency: it needs 300 tokens, the server's context holds 100"}, c.comments("skipped "))

	c = runChild(t, url, "-test.bench=Latency|Throughput")
	assert.Equal(t, 1, c.status())
	assert.Empty(t, c.results())
	assert.Len(t, c.comments("skipped "), 6)
	assert.Equal(t, "vllmbench: no cell fits into the server's context of 100 tokens: name shorter -prompt, -output, -prompts or -outputs\n", c.stderr.String())
	t.Log(c.stderr.String())
}

// TestKey runs against a server that wants a key: it is in no output and no file.
func TestKey(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	url := simulate(t, vllmsim.Config{APIKey: secret})
	c := runChild(t, tiny("-url="+url, "-api-key="+secret, "-record="+dir, "-test.bench=Latency")...)
	assert.Zero(t, c.status(), c.all())
	assert.Len(t, c.cells(), 1)
	assert.NotContains(t, c.all(), secret)
	text, err := os.ReadFile(filepath.Join(dir, "run.jsonl"))
	require.NoError(t, err)
	assert.Contains(t, string(text), `"record":`)
	assert.False(t, strings.Contains(string(text), secret), "the key is in the record")
}
