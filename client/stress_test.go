package client

import (
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Many streams, as fast as they go, their bytes cut anywhere: each token is counted once, and nothing is left open.
func TestStress(t *testing.T) {
	const streams, tokens = 300, 200
	url, _ := startSender(t, senderConfig{Cuts: true})
	before := openFiles()
	c, err := New(Config{BaseURL: url, Model: "tiny", Streams: streams})
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range streams {
		wg.Go(func() {
			n := tokens - i%3
			res := c.Generate(t.Context(), Request{IDs: []int{i}, PromptTokens: 3, OutputTokens: n, Exact: true})
			assert.Equal(t, OK, res.Outcome, res.Error)
			assert.Len(t, res.Events, n)
			assert.False(t, res.Estimated)
			for j := 1; j < len(res.Events); j++ {
				if res.Events[j].At < res.Events[j-1].At {
					assert.Fail(t, "arrivals are out of order")
				}
			}
		})
	}
	wg.Wait()
	assert.LessOrEqual(t, c.Opened(), streams)
	c.Close()
	require.Eventually(t, func() bool { return openFiles() <= before }, 5*time.Second, ms, "files are left open")
}

// openFiles counts this process's file descriptors, where the system lists them.
func openFiles() int {
	fds, _ := os.ReadDir("/proc/self/fd")
	return len(fds)
}
