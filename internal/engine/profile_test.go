package engine

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProfile(t *testing.T) {
	var asked []string
	status := http.StatusOK
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.Path)
		w.WriteHeader(status)
	}))
	defer srv.Close()
	c := &Client{URL: srv.URL + "/v1"}

	require.NoError(t, c.StartProfile(t.Context()))
	require.NoError(t, c.StopProfile(t.Context()))
	assert.Equal(t, []string{"POST /start_profile", "POST /stop_profile"}, asked)

	for s, says := range map[int]string{
		http.StatusNotFound:            "has no profiler: start vLLM with --profiler-config",
		http.StatusMethodNotAllowed:    "has no profiler: start vLLM with --profiler-config",
		http.StatusInternalServerError: "is not ready (POST /start_profile answers 500",
		http.StatusUnauthorized:        "wants an API key (401)",
	} {
		status = s
		assert.ErrorContains(t, c.StartProfile(t.Context()), says)
	}
}

func TestProfileDir(t *testing.T) {
	for info, want := range map[string]string{
		``:                       "",
		`{"vllm_config":"text"}`: "",
		`{"vllm_config":{"profiler_config":null}}`:                                "",
		`{"vllm_config":{"profiler_config":{"torch_profiler_dir":"/tmp/trace"}}}`: "/tmp/trace",
	} {
		i := &Info{ServerInfo: []byte(info)}
		assert.Equal(t, want, i.ProfileDir(), info)
	}
}
