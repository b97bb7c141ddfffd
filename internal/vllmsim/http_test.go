package vllmsim

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInfoEndpoints(t *testing.T) {
	url := start(t, Config{ServedModelName: `a "quoted" name`, MaxModelLen: 2048})
	resp, body := do(t, "GET", url+"/version", "")
	assert.JSONEq(t, `{"version":"0.32.0+vllmsim"}`, body)
	assert.Equal(t, "vllmsim", resp.Header.Get("Server"))

	_, body = do(t, "GET", url+"/v1/models", "")
	assert.Regexp(t, `^{"object":"list","data":\[{"id":"a \\"quoted\\" name","object":"model","created":\d+,"owned_by":"vllm",`+
		`"root":"Qwen/Qwen2.5-7B","parent":null,"max_model_len":2048}\]}$`, body)

	_, body = do(t, "GET", url+"/server_info?config_format=json", "")
	var info struct {
		Config map[string]map[string]any `json:"vllm_config"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &info))
	assert.EqualValues(t, 2048, info.Config["model_config"]["max_model_len"])
	assert.EqualValues(t, 256, info.Config["scheduler_config"]["max_num_seqs"])
	assert.EqualValues(t, 2048, info.Config["scheduler_config"]["max_num_batched_tokens"])

	_, body = do(t, "POST", url+"/v1/completions", `{"prompt":"x","max_tokens":1}`)
	assert.True(t, json.Valid([]byte(body)), body)
}

func TestTokenize(t *testing.T) {
	url := start(t, tiny())
	_, body := do(t, "POST", url+"/tokenize", `{"model":"tiny","prompt":"babada hello  babada","return_token_strs":true}`)
	assert.Regexp(t, `^{"count":3,"max_model_len":4096,"tokens":\[1005,\d+,1005\],"token_strs":\["Ġbabada","Ġ[a-z]{6}","Ġbabada"\]}$`, body)
	_, body = do(t, "POST", url+"/tokenize", `{"messages":[{"role":"user","content":[{"type":"text","text":"one two"}]}]}`)
	assert.Contains(t, body, `"count":7,`, "the template adds five")
	_, body = do(t, "POST", url+"/detokenize", `{"tokens":[1005,1000]}`)
	assert.Equal(t, `{"prompt":" babada bababa"}`, body)
	for path, body := range map[string]string{"/tokenize": `{}`, "/detokenize": `{"tokens":"x"}`} {
		resp, _ := do(t, "POST", url+path, body)
		assert.Equal(t, http.StatusBadRequest, resp.StatusCode, path)
	}
}

func TestRefusalsOfItsOwn(t *testing.T) {
	url := start(t, tiny())
	for body, want := range map[string]string{
		`{"prompt":[1],"n":2}`:         "n must be 1 on this server, got 2: it generates one choice a request.",
		`{"prompt":["a","b"]}`:         "This server takes one prompt a request, got 2.",
		`{"prompt":[1,152064]}`:        "Token id 152064 is out of vocabulary",
		`{"prompt":"` + " " + `"}`:     "The decoder prompt cannot be empty",
		`{"prompt":[1,-1]}`:            "Input should be greater than or equal to 0",
		`{"prompt":[1,"a"]}`:           "Input should be greater than or equal to 0",
		`{"prompt":{}}`:                "Input should be a valid list",
		`{"prompt":[1],"n":1e99}`:      "exceeded maximum size",
		`{"prompt":"` + words() + `"}`: "your prompt contains at least 4097 input tokens",
	} {
		resp, got := do(t, "POST", url+"/v1/completions", body)
		assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
		assert.Contains(t, got, want)
	}
	for _, body := range []string{`{"messages":[3]}`, `{"messages":[{"content":"a"}]}`, `{"messages":[{"role":1}]}`} {
		resp, _ := do(t, "POST", url+"/v1/chat/completions", body)
		assert.Equal(t, http.StatusBadRequest, resp.StatusCode, body)
	}
}

// words is a text of 5000 words.
func words() string { return strings.Repeat("word ", 5000) }

func TestAPIKey(t *testing.T) {
	url := start(t, Config{APIKey: "secret"})
	get := func(path, key string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), "GET", url+path, nil)
		require.NoError(t, err)
		req.Header.Set("Authorization", key)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		var b bytes.Buffer
		_, err = b.ReadFrom(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, b.String()
	}
	for _, key := range []string{"", "secret", "Bearer wrong"} {
		status, body := get("/v1/models", key)
		assert.Equal(t, http.StatusUnauthorized, status)
		assert.Equal(t, `{"error":"Unauthorized"}`, body)
	}
	status, _ := get("/v1/models", "Bearer secret")
	assert.Equal(t, http.StatusOK, status)
	status, _ = get("/metrics", "")
	assert.Equal(t, http.StatusOK, status, "only /v1 is locked")
}

func TestResetPrefixCacheOverHTTP(t *testing.T) {
	url := start(t, tiny())
	prompt := fmt.Sprintf(`{"prompt":[%s],"max_tokens":1}`, numbers(100))
	do(t, "POST", url+"/v1/completions", prompt)
	_, body := do(t, "POST", url+"/reset_prefix_cache", "")
	assert.Equal(t, `{"success":true}`, body)
	do(t, "POST", url+"/v1/completions", prompt)
	assert.Zero(t, value(t, scrape(t, url), "prefix_cache_hits_total"))
	do(t, "POST", url+"/v1/completions", prompt)
	assert.Equal(t, 96.0, value(t, scrape(t, url), "prefix_cache_hits_total"))
}

// TestLedgerBalances scrapes right after the last bytes of many streams.
func TestLedgerBalances(t *testing.T) {
	url := start(t, tiny())
	const streams, output = 20, 15
	for round := 1; round <= 3; round++ {
		var wg sync.WaitGroup
		for range streams {
			wg.Go(func() {
				resp, err := http.Post(url+"/v1/completions", "application/json",
					strings.NewReader(fmt.Sprintf(`{"prompt":[%s],"max_tokens":%d,"stream":true}`, numbers(7), output)))
				if !assert.NoError(t, err) {
					return
				}
				defer resp.Body.Close()
				events := 0
				for s := bufio.NewScanner(resp.Body); s.Scan() && s.Text() != "data: [DONE]"; {
					if s.Text() != "" {
						events++
					}
				}
				assert.Equal(t, output, events)
			})
		}
		wg.Wait()
		m := scrape(t, url)
		done := float64(round * streams)
		assert.Equal(t, done, value(t, m, "request_success_total", "finished_reason=length"))
		assert.Equal(t, done*output, value(t, m, "generation_tokens_total"))
		assert.Equal(t, done*7, value(t, m, "prompt_tokens_total"))
		assert.Equal(t, int(done)*(output-1), count(m, "inter_token_latency_seconds"))
		assert.Zero(t, value(t, m, "num_requests_running"))
	}
}

func TestDisconnectAborts(t *testing.T) {
	url := start(t, tiny())
	for _, stream := range []bool{true, false} {
		before := value(t, scrape(t, url), "generation_tokens_total")
		ctx, cancel := context.WithCancel(t.Context())
		body := fmt.Sprintf(`{"prompt":[1],"max_tokens":4000,"stream":%v}`, stream)
		req, err := http.NewRequestWithContext(ctx, "POST", url+"/v1/completions", strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		left := make(chan struct{})
		go func() {
			defer close(left)
			if resp, err := http.DefaultClient.Do(req); err == nil {
				defer resp.Body.Close()
				bufio.NewReader(resp.Body).ReadString('\n')
				cancel()
			}
		}()
		require.Eventually(t, func() bool { return value(t, scrape(t, url), "generation_tokens_total") > before }, 5*time.Second, 5*time.Millisecond)
		cancel()
		<-left
		require.Eventually(t, func() bool {
			m := scrape(t, url)
			return value(t, m, "num_requests_running") == 0 && value(t, m, "kv_cache_usage_perc") == 0
		}, 5*time.Second, 5*time.Millisecond)
	}
	assert.Zero(t, value(t, scrape(t, url), "request_success_total", "finished_reason=abort"), "as in vLLM")
}

func TestCloseCutsStreams(t *testing.T) {
	s, err := New(tiny())
	require.NoError(t, err)
	l := listen(t)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	resp, err := http.Post("http://"+l.Addr().String()+"/v1/completions", "application/json",
		strings.NewReader(`{"prompt":[1],"max_tokens":4000,"stream":true}`))
	require.NoError(t, err)
	defer resp.Body.Close()
	r := bufio.NewReader(resp.Body)
	_, err = r.ReadString('\n')
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "again")
	require.NoError(t, <-served)
	_, err = r.ReadString(0)
	assert.Error(t, err, "cut off without a proper end")
}
