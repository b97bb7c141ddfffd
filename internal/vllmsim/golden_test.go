package vllmsim

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The golden files are a real vLLM's answers. To take them again:
//
//	go test ./internal/vllmsim -run Golden -capture http://127.0.0.1:8001
//
// from a server of a model named "tiny" with --max-model-len 4096.
var capture = flag.String("capture", "", "take the golden files from the vLLM at this `URL`")

// start serves c on a free port of the loopback, and returns its URL.
func start(t testing.TB, c Config) string {
	t.Helper()
	s, err := New(c)
	require.NoError(t, err)
	l := listen(t)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.NoError(t, <-served)
	})
	return "http://" + l.Addr().String()
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return l
}

func tiny() Config {
	return Config{ServedModelName: "tiny", MaxModelLen: 4096, GPU: "H200"}
}

// do sends a request and returns the answer with its body read.
func do(t testing.TB, method, url, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(b)
}

// numbers is "1,2,...,n".
func numbers(n int) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(ids(0, n+1)[1:]), "[]"), " ", ",")
}

const (
	completions = "POST /v1/completions"
	chats       = "POST /v1/chat/completions"
	hi          = `"messages":[{"role":"user","content":"hello there"}],"ignore_eos":true,"temperature":0,`
	abcd        = `"prompt":[1,2,3,4],"ignore_eos":true,"temperature":0,`
)

type goldenCase struct{ name, path, body string }

func goldenCases() []goldenCase { return append(goldenAnswers(), goldenRefusals()...) }

func goldenAnswers() []goldenCase {
	return []goldenCase{
		{"completion-stream", completions, `{"model":"tiny",` + abcd + `"max_tokens":3,"stream":true}`},
		{"completion-stream-usage", completions, `{"model":"tiny",` + abcd + `"max_tokens":3,"stream":true,"stream_options":{"include_usage":true}}`},
		{"completion-stream-all", completions, `{` + abcd + `"max_tokens":3,"stream":true,"stream_options":{"include_usage":true,"continuous_usage_stats":true},"return_token_ids":true}`},
		{"completion-stream-continuous-only", completions, `{` + abcd + `"max_tokens":2,"stream":true,"stream_options":{"continuous_usage_stats":true}}`},
		{"completion-stream-one", completions, `{` + abcd + `"max_tokens":1,"stream":true}`},
		{"completion", completions, `{"model":"tiny",` + abcd + `"max_tokens":3}`},
		{"completion-ids", completions, `{"model":"tiny",` + abcd + `"max_tokens":3,"return_token_ids":true}`},
		{"completion-default-length", completions, `{` + abcd + `"max_tokens":null,"return_token_ids":true}`},
		{"completion-list-of-one", completions, `{"prompt":[[1,2,3,4]],"ignore_eos":true,"max_tokens":1,"cache_salt":"s","no_such_field":1}`},
		{"completion-cut-to-context", completions, `{"prompt":[` + numbers(4090) + `],"ignore_eos":true,"max_tokens":200,"stream":true}`},
		{"chat-stream", chats, `{"model":"tiny",` + hi + `"max_tokens":3,"stream":true}`},
		{"chat-stream-usage", chats, `{"model":"tiny",` + hi + `"max_completion_tokens":3,"stream":true,"stream_options":{"include_usage":true}}`},
		{"chat-stream-all", chats, `{` + hi + `"max_tokens":3,"stream":true,"stream_options":{"include_usage":true,"continuous_usage_stats":true},"return_token_ids":true}`},
		{"chat-stream-one", chats, `{` + hi + `"max_tokens":1,"stream":true}`},
		{"chat", chats, `{"model":"tiny",` + hi + `"max_tokens":3}`},
		{"chat-ids", chats, `{"model":"tiny",` + hi + `"max_completion_tokens":3,"max_tokens":5,"return_token_ids":true}`},
		{"health", "GET /health", ""},
		{"ping", "GET /ping", ""},
		{"tokenize-empty", "POST /tokenize", `{"prompt":""}`},
	}
}

func goldenRefusals() []goldenCase {
	return []goldenCase{
		{"no-such-model", completions, `{"model":"nope","prompt":[1]}`},
		{"no-such-model-chat", chats, `{"model":"nope",` + hi + `"max_tokens":1}`},
		{"max-tokens-0", completions, `{` + abcd + `"max_tokens":0}`},
		{"max-tokens-negative", chats, `{` + hi + `"max_tokens":-1}`},
		{"max-tokens-over-context", completions, `{` + abcd + `"max_tokens":5000}`},
		{"max-tokens-text", completions, `{` + abcd + `"max_tokens":"x"}`},
		{"max-tokens-fraction", completions, `{` + abcd + `"max_tokens":1.5}`},
		{"min-over-max-tokens", completions, `{` + abcd + `"max_tokens":3,"min_tokens":5}`},
		{"prompt-fills-context", completions, `{"prompt":[` + numbers(4096) + `],"max_tokens":1}`},
		{"prompt-one-too-long", completions, `{"prompt":[` + numbers(4097) + `],"max_tokens":1}`},
		{"prompt-too-long", completions, `{"prompt":[` + numbers(5000) + `],"max_tokens":1}`},
		{"prompt-missing", completions, `{"model":"tiny"}`},
		{"prompt-empty-text", completions, `{"prompt":""}`},
		{"prompt-empty-list", completions, `{"prompt":[]}`},
		{"prompt-empty-ids", completions, `{"prompt":[[]]}`},
		{"salt-empty", completions, `{` + abcd + `"cache_salt":""}`},
		{"stream-options-without-stream", completions, `{` + abcd + `"stream_options":{"include_usage":true}}`},
		{"stream-text", completions, `{` + abcd + `"stream":"x"}`},
		{"model-number", completions, `{"model":3,"prompt":[1]}`},
		{"messages-empty", chats, `{"messages":[]}`},
		{"messages-text", chats, `{"messages":"x"}`},
		{"json-cut-off", completions, `{"model":"tiny","prompt":`},
		{"json-list", completions, `[]`},

		{"get-completions", "GET /v1/completions", ""},
		{"post-version", "POST /version", ""},
		{"no-such-path", "GET /nope", ""},
		{"no-content-type", completions, ""},
		{"tokenize-no-model", "POST /tokenize", `{"model":"nope","prompt":"x"}`},
	}
}

// What differs from answer to answer, or from tokenizer to tokenizer.
var normalize = []struct {
	from *regexp.Regexp
	to   string
}{
	{regexp.MustCompile(`"id":"(chatcmpl|cmpl)-[0-9a-f]{16}"`), `"id":"$1-ID"`},
	{regexp.MustCompile(`"created":[0-9]{10}`), `"created":0`},
	{regexp.MustCompile(`"(text|content)":"(\\.|[^"\\])+"`), `"$1":"TEXT"`},
	{regexp.MustCompile(`"text":""`), `"text":"TEXT"`}, // real tokens may have no text of their own
	{regexp.MustCompile(`"system_fingerprint":"vllm-0\.32\.0[-+][0-9a-z]+"`), `"system_fingerprint":"VERSION"`},
}

var (
	outputIDs  = regexp.MustCompile(`"token_ids":\[[0-9,]+\]`)
	chatPrompt = regexp.MustCompile(`"prompt_token_ids":\[[0-9,]+\]|"(prompt|total)_tokens":[0-9]+`)
	digits     = regexp.MustCompile(`[0-9]+`)
)

func normalized(path, body string) string {
	for _, n := range normalize {
		body = n.from.ReplaceAllString(body, n.to)
	}
	body = outputIDs.ReplaceAllStringFunc(body, func(s string) string { return digits.ReplaceAllString(s, "N") })
	if path == chats { // the length of a text depends on the tokenizer
		body = chatPrompt.ReplaceAllStringFunc(body, func(s string) string {
			return digits.ReplaceAllString(strings.SplitAfter(s, ":")[0], "") + "N"
		})
	}
	return body
}

func TestGolden(t *testing.T) {
	url := *capture
	if url == "" {
		url = start(t, tiny())
	}
	for _, c := range goldenCases() {
		t.Run(c.name, func(t *testing.T) {
			method, path, _ := strings.Cut(c.path, " ")
			resp, body := do(t, method, url+path, c.body)
			got := fmt.Sprintf("%d %s\n%s", resp.StatusCode, resp.Header.Get("Content-Type"), normalized(c.path, body))
			file := filepath.Join("testdata", "golden", c.name+".txt")
			if *capture != "" {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
				return
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, string(want), got)
		})
	}
}
