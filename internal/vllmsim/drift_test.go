package vllmsim

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDrift sends one long request: its steps grow slower along a line, and no more after that.
func TestDrift(t *testing.T) {
	const share, over, output = 0.1, 2 * time.Second, 400
	want := steps(t, 10, output)
	synctest.Test(t, func(t *testing.T) {
		e := startEngine(t, Config{Drift: share, DriftOver: over, NoAsyncScheduling: true}, 0)
		time.Sleep(time.Minute) // before the first request nothing drifts
		start := time.Now()
		at := arrivals(submit(e, 1, 10, output), start)
		var began time.Duration
		for i, end := range at {
			slower := 1 + share*min(1, began.Seconds()/over.Seconds())
			require.InDelta(t, slower*float64(want[i]), float64(end-began), 2, "step %d, which begins after %v", i, began)
			began = end
		}
		assert.Greater(t, began, over, "the end of the drift was seen")
	})
}

func TestDriftIsTold(t *testing.T) {
	for _, c := range []struct {
		config           Config
		release, setting string
	}{
		{Config{}, Version, `"drift":0,`},
		{Config{Drift: 0.1}, Version + " (a fault is on: steps drift to 10 % slower over 1m0s)", `"drift":0.1,"drift_over":"1m0s"`},
		{Config{Drift: 0.05, DriftOver: time.Second}, Version + " (a fault is on: steps drift to 5 % slower over 1s)", `"drift":0.05,"drift_over":"1s"`},
	} {
		url := start(t, c.config)
		_, version := do(t, "GET", url+"/version", "")
		assert.Equal(t, `{"version":"`+c.release+`"}`, strings.TrimSpace(version))
		_, info := do(t, "GET", url+"/server_info", "")
		assert.Contains(t, info, c.setting)
	}
}

func TestDriftShowsInTheStartLines(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout strings.Builder
	o, err := parseFlags([]string{"--port=0", "--drift=0.1", "--drift-over=30s"}, &stdout)
	require.NoError(t, err)
	require.NoError(t, serveUntil(ctx, o, &stdout))
	assert.Contains(t, stdout.String(), "\nvllmsim: a fault is on: steps drift to 10 % slower over 30s from the first request on\n")
}
