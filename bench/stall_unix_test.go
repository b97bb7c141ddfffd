//go:build unix

package bench

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/results"
)

// TestStall stops the server's process for a second in the window's midst. What is
// due meanwhile waits for the end of that second, so that the longest wait is all of it
// and, of n even arrivals, those beyond a quantile q wait evenly longer than
// stall - (1-q) x window: a closed loop would show one late request a stream.
func TestStall(t *testing.T) {
	t.Parallel()
	const window, stall = 4 * time.Second, time.Second
	url, server := serveAlone(t)
	dir := filepath.Join(t.TempDir(), "run")
	c := startChild(t, arriving("-url="+url, "-warmup=1", "-rates=100", "-burstiness=inf", "-test.benchtime="+window.String(), "-quantiles=50,80,90,99", "-limits=late=1e6,cpu=1e6,merged=1,growth=1e6", "-record="+dir)...)
	require.Eventually(t, func() bool { return running(t, url) }, soon, time.Millisecond)
	time.Sleep(window / 4) // any instant will do whose stall ends within the window
	require.NoError(t, server.Signal(syscall.SIGSTOP))
	began := time.Now()
	time.Sleep(stall)
	require.NoError(t, server.Signal(syscall.SIGCONT))
	took := time.Since(began).Seconds() // a busy machine's second is longer
	c.end()
	require.Zero(t, c.status(), c.all())

	run, err := results.Open(dir)
	require.NoError(t, err)
	defer run.Close()
	row := run.Rows[0].Measured
	var longest time.Duration
	for _, r := range requests(t, run, 0) {
		longest = max(longest, r.TTFT())
	}
	assert.InDelta(t, took, longest.Seconds(), 0.15)
	for q, metric := range map[float64]string{0.8: "p80-ttft-ns", 0.9: "p90-ttft-ns"} {
		got, ok := row.Value(metric)
		require.True(t, ok, c.all())
		assert.InDelta(t, took-(1-q)*window.Seconds(), got/1e9, 0.15, metric)
		t.Logf("%s is %.3f s, of a stall of %.3f s; the longest wait is %.3f s", metric, got/1e9, took, longest.Seconds())
	}
	median, _ := row.Value("p50-ttft-ns")
	assert.Less(t, median/1e9, 0.2, "half of the arrivals never met the stall")
}
