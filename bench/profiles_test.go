package bench

import (
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/vllmsim"
)

// A server without a profiler is found before anything is measured.
func TestNoProfiler(t *testing.T) {
	c := runChild(t, tiny("-url="+simulate(t, vllmsim.Config{}), "-profile="+t.TempDir())...)
	assert.Equal(t, 1, c.status())
	assert.Contains(t, c.stderr.String(), "has no profiler: start vLLM with --profiler-config")
	assert.Empty(t, c.stdout.String())
}

// Profiling begins after the last measured request, once an experiment, and
// its traces are brought where they were asked for.
func TestProfiles(t *testing.T) {
	traces, into := t.TempDir(), t.TempDir()
	var mu sync.Mutex
	var calls []string
	profiler := proxy{refuse: func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		switch r.URL.Path {
		case "/start_profile", "/stop_profile":
			mu.Lock()
			defer mu.Unlock()
			calls = append(calls, r.URL.Path)
			if r.URL.Path == "/stop_profile" {
				f, err := os.CreateTemp(traces, "*.pt.trace.json.gz")
				if assert.NoError(t, err) {
					f.Close()
				}
			}
		case "/server_info":
			_, _ = w.Write([]byte(`{"vllm_config":{"profiler_config":{"torch_profiler_dir":"` + traces + `"}}}`))
		default:
			return false
		}
		return true
	}}

	c := runChild(t, tiny("-url="+profiler.before(t, simulate(t, vllmsim.Config{})), "-profile="+into)...)
	assert.Zero(t, c.status(), c.all())
	assert.Equal(t, 2*(1+3), len(calls), "the trial, and three experiments")
	assert.Len(t, c.comments("profile of "), 3, c.all())
	for _, experiment := range []string{"latency", "throughput", "seqlen"} {
		found, err := filepath.Glob(filepath.Join(into, experiment, "*.pt.trace.json.gz"))
		require.NoError(t, err)
		assert.Len(t, found, 1, experiment)
	}
}
