//go:build !race

package client

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAllocations holds the client to what RecvRaw allocates for an event.
func TestAllocations(t *testing.T) {
	const recvRaw = 4
	url, _ := startSender(t, senderConfig{})
	c, err := New(Config{BaseURL: url, Model: "tiny"})
	require.NoError(t, err)
	defer c.Close()
	mallocs := func(tokens int) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		res := c.Generate(t.Context(), Request{Text: "Hi", OutputTokens: tokens, Exact: true})
		runtime.ReadMemStats(&after)
		require.Equal(t, OK, res.Outcome, res.Error)
		return after.Mallocs - before.Mallocs
	}
	mallocs(10)
	short, long := mallocs(1000), mallocs(5000)
	assert.InDelta(t, recvRaw, float64(long-short)/4000, 0.2)
}
