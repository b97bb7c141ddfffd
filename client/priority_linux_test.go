package client

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Real-time priority for the tests themselves would disturb other packages'
// tests, so what is set here is what is there already.
func TestEachThreadReachesAll(t *testing.T) {
	tasks, err := os.ReadDir("/proc/self/task")
	require.NoError(t, err)
	seen := map[int]bool{}
	require.NoError(t, eachThread(func(tid int) error {
		assert.False(t, seen[tid], "twice")
		seen[tid] = true
		return nil
	}))
	assert.GreaterOrEqual(t, len(seen), len(tasks))
	assert.True(t, seen[os.Getpid()], "the main thread")

	require.NoError(t, eachThread(func(int) error { return unix.ESRCH }), "a thread that has ended")
	require.ErrorIs(t, eachThread(func(int) error { return unix.EPERM }), unix.EPERM)
}
