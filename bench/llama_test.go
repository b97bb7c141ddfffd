package bench

import (
	"flag"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/engine"
	"vllmbench/internal/results"
)

var llama = flag.String("llama", "", "the `URL` of a llama.cpp server for TestLlamaServer (make test-llama starts one)")

// TestLlamaServer measures a real server that is no vLLM: what it proves must be in
// the rows, what it does not must be said, and nothing else may be shown.
func TestLlamaServer(t *testing.T) {
	if *llama == "" {
		t.Skip("no llama.cpp server is named: make test-llama starts one on this machine's CPU, -llama names another")
	}
	for _, endpoint := range []string{"completions", "chat"} {
		t.Run(endpoint, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "llama")
			c := runChild(t, "-test.benchtime=20x", "-url="+*llama, "-endpoint="+endpoint, "-prompt=60", "-output=20", "-prompts=40,200", "-outputs=20,50", "-batches=1,4,8", "-record="+dir)
			t.Log("\n" + c.all())
			require.Zero(t, c.status())
			cells := []string{"Latency"}
			for _, p := range []int{40, 200} {
				for _, o := range []int{20, 50} {
					cells = append(cells, fmt.Sprintf("SeqLen/prompt=%d/output=%d", p, o))
				}
			}
			cells = append(cells, "Throughput/batch=1", "Throughput/batch=4", "Throughput/batch=8")
			assert.Len(t, c.results(), len(cells))
			for _, r := range c.results() {
				assert.Equal(t, string(engine.LlamaCPP), r.GetConfig("server"))
			}
			assert.Contains(t, c.comments("not offered: "), "counters in GET /metrics of finished requests, preemptions")
			assert.Equal(t, []string{"the ledger of finished requests and preemptions; the server's own TTFT and ITL"}, c.comments("not proven in any row: "))
			assert.Len(t, c.comments("connections: the server closes each one"), 1)
			assert.Empty(t, c.comments("prompt lengths of "), "a cell whose prompts are not exact")
			if endpoint == "chat" {
				assert.Len(t, c.comments("chat template: adds "), 1)
			}
			llamaRecord(t, dir, cells)
		})
	}
}

// llamaRecord holds each request's lengths and each row's ledger to what was asked.
func llamaRecord(t *testing.T, dir string, cells []string) {
	t.Helper()
	run, err := results.Open(dir)
	require.NoError(t, err)
	defer run.Close()
	var names []string
	for i, row := range run.Rows {
		m := row.Measured
		names = append(names, m.Name)
		assert.Empty(t, m.Void, m.Name)
		known := map[string]bool{}
		for _, a := range m.Ledger {
			known[a.Name] = a.Known
			assert.True(t, a.Balances(), "%s: %+v", m.Name, a)
		}
		assert.Equal(t, map[string]bool{
			"finished requests": false, "prompt tokens": true, "generated tokens": true, "prefix cache hits": true, "preemptions": false,
			"in flight, before": true, "in flight, tail": true, "in flight, after": true,
		}, known, m.Name)
		for _, name := range []string{"egress-ttft-ns", "engine-ttft-ns", "engine-itl-ns", "engine-queue-ns"} {
			_, shown := m.Value(name)
			assert.False(t, shown, "%s: %s, which the server does not tell", m.Name, name)
		}
		for _, r := range requests(t, run, i) {
			assert.Equal(t, m.PromptTokens, r.PromptTokens, m.Name)
			assert.Equal(t, m.OutputTokens, r.OutputTokens, m.Name)
			assert.Zero(t, r.CachedTokens, m.Name)
		}
	}
	assert.Equal(t, cells, names)
}
