package engine

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// llamaRoutes answers as llama.cpp's server does (of October 2026), with the changes given.
func llamaRoutes(t testing.TB, changes routes) http.HandlerFunc {
	const lost = `{"error":{"message":"File Not Found","type":"not_found_error","code":404}}`
	all := routes{
		"GET /v1/models": says(200, `{"models":[{"name":"tiny"}],"object":"list","data":[{"id":"tiny","aliases":["tiny"],"object":"model","owned_by":"llamacpp","meta":{"n_vocab":8192,"n_ctx":4096,"n_ctx_train":8192}}]}`),
		"GET /metrics":   says(200, read(t, "llama.cpp.metrics.txt")),
		"POST /tokenize": func(w http.ResponseWriter, r *http.Request) {
			var in struct{ Content string }
			assert.NoError(t, json.NewDecoder(r.Body).Decode(&in))
			switch in.Content {
			case "": // it does not know "prompt" and "messages"
				says(200, `{"tokens":[]}`)(w, r)
			case "user: hello\nassistant:":
				says(200, `{"tokens":[1,2,3,4,5,6,7]}`)(w, r)
			default:
				says(200, `{"tokens":[832,116,624]}`)(w, r)
			}
		},
		"POST /apply-template": says(200, `{"prompt":"user: hello\nassistant:"}`),
		"POST /v1/completions": says(200, completionBody),
		"GET /version":         says(404, lost),
		"GET /server_info":     says(404, lost),
	}
	for path, h := range changes {
		all[path] = h
	}
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "llama.cpp")
		if h := all[r.Method+" "+r.URL.Path]; h != nil {
			h(w, r)
			return
		}
		says(404, lost)(w, r)
	}
}

func TestDiscoverLlama(t *testing.T) {
	c := start(t, llamaRoutes(t, nil))
	i, err := c.Discover(t.Context(), "")
	require.NoError(t, err)
	assert.Equal(t, LlamaCPP, i.Kind)
	assert.Equal(t, 4096, i.MaxModelLen)
	assert.True(t, i.TokenIDs)
	assert.True(t, i.Counters && i.Untimed)
	assert.Equal(t, []string{"finished requests", "preemptions"}, i.Uncounted)
	assert.Equal(t, []string{
		"GET /version (404 Not Found: File Not Found)",
		"GET /server_info (404 Not Found: File Not Found)",
		"counters in GET /metrics of finished requests, preemptions",
	}, i.NotOffered)

	i, err = start(t, llamaRoutes(t, routes{"GET /metrics": nil})).Discover(t.Context(), "")
	require.NoError(t, err)
	assert.False(t, i.Counters)
	assert.Contains(t, i.NotOffered, "GET /metrics (404 Not Found: File Not Found)")
}

// TestLlamaCounters reads a page of a server that had computed 170493 tokens of
// prompts, found 11 in its slots, and generated 7941.
func TestLlamaCounters(t *testing.T) {
	s, err := start(t, llamaRoutes(t, nil)).Snapshot(t.Context(), "tiny")
	require.NoError(t, err)
	assert.Equal(t, Value{170504, true}, s.PromptTokens)
	assert.Equal(t, Value{7941, true}, s.GenerationTokens)
	assert.Equal(t, Value{11, true}, s.PrefixHits)
	assert.Equal(t, Value{0, true}, s.InFlight())
	assert.Nil(t, s.Finished)
	assert.False(t, s.Requests.Known || s.Preemptions.Known || s.TTFT.Known || s.ITL.Known)

	older := "# TYPE llamacpp:prompt_tokens_total counter\nllamacpp:prompt_tokens_total 5\n"
	s, err = start(t, llamaRoutes(t, routes{"GET /metrics": says(200, older)})).Snapshot(t.Context(), "tiny")
	require.NoError(t, err)
	assert.False(t, s.PromptTokens.Known, "what came from a cache is not counted")
}

func TestCount(t *testing.T) {
	var asked map[string]any
	vllm := start(t, vllmRoutes(t, routes{"POST /tokenize": func(w http.ResponseWriter, r *http.Request) {
		asked = nil
		assert.NoError(t, json.NewDecoder(r.Body).Decode(&asked))
		says(200, tokenizeBody)(w, r)
	}}))
	n, err := vllm.Count(t.Context(), "tiny", "hello", false)
	require.NoError(t, err)
	assert.Equal(t, 3, n)
	assert.Equal(t, map[string]any{"model": "tiny", "prompt": "hello"}, asked, "with the special tokens that a prompt gets")
	_, err = vllm.Count(t.Context(), "tiny", "hello", true)
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"model": "tiny", "messages": []any{map[string]any{"role": "user", "content": "hello"}}}, asked)

	llama := start(t, llamaRoutes(t, nil))
	n, err = llama.Count(t.Context(), "tiny", "hello", true)
	require.NoError(t, err)
	assert.Equal(t, 7, n)
	n, err = llama.Count(t.Context(), "tiny", "hello", false)
	require.NoError(t, err)
	assert.Equal(t, 3, n)
}

func TestCountFails(t *testing.T) {
	const fix = ": its prompts cannot be made of an exact length"
	for name, tt := range map[string]struct {
		h    http.Handler
		chat bool
		want string
	}{
		"no tokenizer":      {routes{}, false, "the server does not say how long a text is (POST /tokenize: 404 Not Found)"},
		"no template":       {routes{}, true, "the server does not say how long a chat is (POST /apply-template: 404 Not Found)"},
		"an empty template": {llamaRoutes(t, routes{"POST /apply-template": says(200, `{}`)}), true, "the server does not say how long a chat is (POST /apply-template: its answer has no prompt)"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := start(t, tt.h).Count(t.Context(), "tiny", "hello", tt.chat)
			assert.EqualError(t, err, tt.want+fix)
		})
	}
}

func TestServes(t *testing.T) {
	c := start(t, routes{"GET /v1/models": says(200, listing("base", "sql", "law"))})
	assert.NoError(t, c.Serves(t.Context(), "law", "base"))
	assert.EqualError(t, c.Serves(t.Context(), "base", "med"), `model "med" is not served at `+c.URL+`, which serves base, sql, law: choose one with -model or -models`)
}
