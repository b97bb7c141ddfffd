package engine

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDiscoverVLLM(t *testing.T) {
	c := start(t, vllmRoutes(t, nil))
	base := c.URL
	for _, suffix := range []string{"", "/", "/v1", "/v1/"} {
		c.URL = base + suffix
		i, err := c.Discover(t.Context(), "tiny")
		require.NoError(t, err)
		assert.Equal(t, base, i.URL)
		assert.Equal(t, VLLM, i.Kind)
		assert.Equal(t, "0.32.0", i.Version)
		assert.Equal(t, "tiny", i.Model)
		assert.Equal(t, "/models/tiny", i.Root)
		assert.Equal(t, 4096, i.MaxModelLen)
		assert.True(t, i.TokenIDs)
		assert.Equal(t, "8192", i.CacheConfig["num_gpu_blocks"])
		assert.JSONEq(t, `{"vllm_config":{"seed":0},"vllm_env":{},"system_env":{}}`, string(i.ServerInfo))
		assert.Empty(t, i.NotOffered)
		assert.True(t, i.Counters)
	}
}

func TestDiscoverNamesCountersThatAreMissing(t *testing.T) {
	page := "# TYPE vllm:prompt_tokens_total counter\nvllm:prompt_tokens_total 1\n# TYPE vllm:generation_tokens_total counter\nvllm:generation_tokens_total 1\n"
	i, err := start(t, vllmRoutes(t, routes{"GET /metrics": says(200, page)})).Discover(t.Context(), "tiny")
	require.NoError(t, err)
	assert.True(t, i.Counters)
	assert.Equal(t, []string{"counters in GET /metrics of finished requests, prefix cache hits, preemptions"}, i.NotOffered)
}

func TestDiscoverUnderAPath(t *testing.T) {
	c := start(t, http.StripPrefix("/openai", vllmRoutes(t, nil)))
	c.URL += "/openai/v1"
	i, err := c.Discover(t.Context(), "")
	require.NoError(t, err)
	assert.Equal(t, "tiny", i.Model)
	assert.True(t, strings.HasSuffix(i.URL, "/openai"))
}

func TestKinds(t *testing.T) {
	sim := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "vllmsim")
		says(200, modelsBody)(w, r)
	}
	for name, c := range map[string]struct {
		changes routes
		want    Kind
	}{
		"vLLM":                              {nil, VLLM},
		"the embedded server":               {routes{"GET /v1/models": sim}, VLLMSim},
		"vLLM with --disable-log-stats":     {routes{"GET /metrics": says(200, "process_cpu_seconds_total 1\n")}, VLLM},
		"vLLM that renames its owner":       {routes{"GET /v1/models": says(200, listing("tiny"))}, VLLM},
		"no version":                        {routes{"GET /version": nil}, OpenAI},
		"neither vllm: metrics nor models":  {routes{"GET /metrics": nil, "GET /v1/models": says(200, listing("tiny"))}, OpenAI},
		"a page instead of a version":       {routes{"GET /version": says(200, "<html>")}, OpenAI},
		"a version with nothing in it":      {routes{"GET /version": says(200, "{}")}, OpenAI},
		"a model length that is not there":  {routes{"GET /v1/models": says(200, `{"data":[{"id":"tiny","max_model_len":null}]}`)}, VLLM},
		"metrics that cannot be understood": {routes{"GET /metrics": says(200, "}{")}, VLLM},
	} {
		t.Run(name, func(t *testing.T) {
			i, err := start(t, vllmRoutes(t, c.changes)).Discover(t.Context(), "tiny")
			require.NoError(t, err)
			assert.Equal(t, c.want, i.Kind)
			assert.Equal(t, 4096, i.MaxModelLen, "by /tokenize where /v1/models does not say")
		})
	}
}

func TestWhatIsNotOfferedIsNamed(t *testing.T) {
	refusesIDs := `{"error":{"message":"prompt must be a string","type":"BadRequestError"}}`
	c := start(t, routes{
		"GET /v1/models":       says(200, listing("other")),
		"GET /version":         says(200, "[]"),
		"POST /tokenize":       says(200, tokenizeBody),
		"POST /v1/completions": says(400, refusesIDs),
		"GET /metrics":         says(200, "sglang:num_running_reqs 1\n"),
	})
	i, err := c.Discover(t.Context(), "")
	require.NoError(t, err)
	assert.Equal(t, OpenAI, i.Kind)
	assert.False(t, i.TokenIDs)
	assert.Nil(t, i.CacheConfig)
	assert.Equal(t, []string{
		"GET /version (its answer is not the JSON expected)",
		"GET /server_info (404 Not Found)",
		"token ids in POST /v1/completions (400 Bad Request: prompt must be a string)",
		"vllm: families in GET /metrics (counters and histograms are unknown)",
	}, i.NotOffered)
}

func TestTokenIDsNeedProof(t *testing.T) {
	for name, c := range map[string]struct {
		changes routes
		says    string
	}{
		"no tokenizer":      {routes{"POST /tokenize": nil}, "POST /tokenize (404 Not Found)"},
		"llama.cpp's shape": {routes{"POST /tokenize": says(200, `{"tokens":[]}`)}, "POST /tokenize (its answer has no token ids)"},
		"negative ids":      {routes{"POST /tokenize": says(200, `{"tokens":[1,-2]}`)}, "POST /tokenize (its answer has no token ids)"},
		"counted otherwise": {routes{"POST /v1/completions": says(200, strings.ReplaceAll(completionBody, `"prompt_tokens":3`, `"prompt_tokens":9`))},
			"token ids in POST /v1/completions (3 ids were counted as 9 tokens)"},
		"no usage": {routes{"POST /v1/completions": says(200, `{}`)}, "token ids in POST /v1/completions (3 ids were counted as 0 tokens)"},
	} {
		t.Run(name, func(t *testing.T) {
			i, err := start(t, vllmRoutes(t, c.changes)).Discover(t.Context(), "")
			require.NoError(t, err)
			assert.False(t, i.TokenIDs)
			assert.Equal(t, []string{c.says}, i.NotOffered)
		})
	}
}

func TestQuestionsAsVLLMHasThem(t *testing.T) {
	var tokenize, completion map[string]any
	keep := func(into *map[string]any, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			assert.NoError(t, json.NewDecoder(r.Body).Decode(into))
			assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
			says(200, body)(w, r)
		}
	}
	info := func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "json", r.URL.Query().Get("config_format"))
		says(200, "{}")(w, r)
	}
	_, err := start(t, vllmRoutes(t, routes{
		"POST /tokenize":       keep(&tokenize, tokenizeBody),
		"POST /v1/completions": keep(&completion, completionBody),
		"GET /server_info":     info,
	})).Discover(t.Context(), "")
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"model": "tiny", "prompt": "one two three", "add_special_tokens": false}, tokenize)
	assert.Equal(t, []any{832.0, 116.0, 624.0}, completion["prompt"])
	assert.Equal(t, 1.0, completion["max_tokens"])
}

func TestTokenize(t *testing.T) {
	ids, err := start(t, vllmRoutes(t, nil)).Tokenize(t.Context(), "tiny", "one two three")
	require.NoError(t, err)
	assert.Equal(t, []int{832, 116, 624}, ids)

	c := start(t, routes{})
	_, err = c.Tokenize(t.Context(), "tiny", "one two three")
	assert.EqualError(t, err, c.URL+" does not tokenize (POST /tokenize: 404 Not Found): use text prompts")
}

func TestCancelledDiscoveryFails(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := start(t, vllmRoutes(t, routes{"GET /version": func(w http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}}))
	_, err := c.Discover(ctx, "")
	assert.ErrorIs(t, err, context.Canceled)
}
