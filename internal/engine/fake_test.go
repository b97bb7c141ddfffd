package engine

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Bodies as vLLM 0.32.0 sends them.
const (
	modelsBody     = `{"object":"list","data":[{"id":"tiny","object":"model","created":1795446081,"owned_by":"vllm","root":"/models/tiny","parent":null,"max_model_len":4096,"permission":[]}]}`
	tokenizeBody   = `{"count":3,"max_model_len":4096,"tokens":[832,116,624],"token_strs":null}`
	completionBody = `{"id":"cmpl-1","object":"text_completion","model":"tiny","choices":[{"index":0,"text":"aa","finish_reason":"length"}],"usage":{"prompt_tokens":3,"total_tokens":4,"completion_tokens":1}}`
	unknownPath    = `{"detail":"Not Found"}`
)

// routes maps "METHOD /path" to what the fake server does there.
type routes map[string]http.HandlerFunc

// says answers with a status and a body.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// vllmRoutes answers as vLLM 0.32.0 does, with the changes given; nil removes a route.
func vllmRoutes(t testing.TB, changes routes) routes {
	all := routes{
		"GET /v1/models":       says(200, modelsBody),
		"GET /version":         says(200, `{"version":"0.32.0"}`),
		"GET /server_info":     says(200, `{"vllm_config":{"seed":0},"vllm_env":{},"system_env":{}}`),
		"GET /metrics":         says(200, read(t, "vllm-0.32.0.metrics.txt")),
		"POST /tokenize":       says(200, tokenizeBody),
		"POST /v1/completions": says(200, completionBody),
	}
	maps.Copy(all, changes)
	return all
}

func (r routes) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Server", "uvicorn")
	if h := r[req.Method+" "+req.URL.Path]; h != nil {
		h(w, req)
		return
	}
	says(404, unknownPath)(w, req)
}

// start serves h until the test ends, and returns a client for it.
func start(t testing.TB, h http.Handler) *Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return &Client{URL: s.URL}
}

func read(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return string(b)
}

// listing is an answer to /v1/models with the ids given.
func listing(ids ...string) string {
	entries := []map[string]string{}
	for _, id := range ids {
		entries = append(entries, map[string]string{"id": id, "owned_by": "them"})
	}
	b, err := json.Marshal(map[string]any{"object": "list", "data": entries})
	if err != nil {
		panic(fmt.Sprint("marshalling strings: ", err))
	}
	return string(b)
}

// quiet is a log that nobody reads, of servers whose clients refuse them.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// authority writes the certificate of s into a file.
func authority(t testing.TB, s *httptest.Server) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	require.NoError(t, os.WriteFile(path, text, 0o666))
	return path
}
