package engine

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestLive asks the server at VLLM_BASE_URL, if that is set, whether the
// shapes and names here are still its own. Others may use the server, so
// counts are lower bounds.
func TestLive(t *testing.T) {
	c := &Client{URL: os.Getenv("VLLM_BASE_URL"), APIKey: os.Getenv("VLLM_API_KEY")}
	if c.URL == "" {
		t.Skip("VLLM_BASE_URL is not set")
	}
	i, err := c.Discover(t.Context(), "")
	require.NoError(t, err)
	t.Logf("%s %s, model %s of %d tokens, not offered: %q", i.Kind, i.Version, i.Model, i.MaxModelLen, i.NotOffered)
	if i.Kind == OpenAI {
		t.Skip("the server has no counters")
	}
	assert.True(t, i.TokenIDs)
	assert.Positive(t, i.MaxModelLen)
	assert.NotEmpty(t, i.CacheConfig["num_gpu_blocks"])

	ids, err := c.Tokenize(t.Context(), i.Model, "how the server counts")
	require.NoError(t, err)
	before, err := c.Snapshot(t.Context(), i.Model)
	require.NoError(t, err)
	require.NoError(t, c.complete(t.Context(), i.Model, ids))
	after, err := c.Settled(t.Context(), i.Model, func(s *Snapshot) bool { return s.Requests.N > before.Requests.N }, 5*time.Second)
	require.NoError(t, err)

	d := after.Since(before)
	require.False(t, d.Reset, d.Why)
	assert.GreaterOrEqual(t, d.Requests.N, 1.0)
	assert.GreaterOrEqual(t, d.PromptTokens.N, float64(len(ids)))
	assert.GreaterOrEqual(t, d.GenerationTokens.N, 1.0)
	for name, v := range map[string]Value{"prefix queries": d.PrefixQueries, "prefix hits": d.PrefixHits, "preemptions": d.Preemptions, "running": after.Running, "waiting": after.Waiting, "KV use": after.KVUse} {
		assert.True(t, v.Known, name)
	}
	for name, h := range map[string]Hist{"TTFT": d.TTFT, "E2E": d.E2E, "queue": d.Queue, "prefill": d.Prefill} {
		mean, ok := h.Mean()
		assert.True(t, ok && mean >= 0, "%s: %+v", name, h)
	}
	assert.True(t, d.ITL.Known && d.Decode.Known)
}
