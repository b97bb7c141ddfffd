package monitor

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/gpuprobe"
	"vllmbench/internal/engine"
)

// A slowServer answers after a delay that depends on how often it was asked.
type slowServer struct {
	asked int
	delay func(n int) (time.Duration, error)
}

func (s *slowServer) Snapshot(ctx context.Context, _ string) (*engine.Snapshot, error) {
	s.asked++
	asked := time.Now()
	wait, err := s.delay(s.asked)
	select {
	case <-time.After(wait):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	return &engine.Snapshot{At: asked, Engines: 1}, nil
}

// A steadyGPU has a sample at every whole second, as a sampler would.
type steadyGPU struct{ start time.Time }

func (g steadyGPU) Devices() []gpuprobe.Device { return oneGPUDevice }
func (g steadyGPU) State() gpuprobe.State      { return gpuprobe.State{Name: gpuprobe.StateNVML} }

func (g steadyGPU) Samples(from, to time.Time) (all []gpuprobe.Sample) {
	for at := g.start; !at.After(to); at = at.Add(time.Second) {
		if !at.Before(from) {
			all = append(all, gpuprobe.Sample{At: at})
		}
	}
	return all
}

func (g steadyGPU) Window(from, to time.Time) gpuprobe.Usage {
	return gpuprobe.Usage{From: from, To: to, Figures: gpuprobe.Figures{Gaps: []gpuprobe.Gap{{From: from, To: to}}}}
}

func TestPoller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		gone := errors.New("connection refused")
		server := &slowServer{delay: func(n int) (time.Duration, error) {
			switch n {
			case 3:
				return 2200 * time.Millisecond, nil
			case 5:
				return 0, gone
			}
			return 5 * time.Millisecond, nil
		}}
		p := &poller{server: server, gpu: steadyGPU{begin}, interval: time.Second}
		ctx, cancel := context.WithCancel(t.Context())
		var ticks []Tick
		p.run(ctx, func(tick Tick) {
			if ticks = append(ticks, tick); len(ticks) == 8 {
				cancel()
			}
		})
		require.Len(t, ticks, 8)
		for i, tick := range ticks {
			assert.Equal(t, begin.Add(time.Duration(i)*time.Second+250*time.Millisecond), tick.At, "round %d, whatever the server does", i)
			if i == 0 {
				assert.Nil(t, tick.GPU)
				continue
			}
			require.NotNil(t, tick.GPU, "round %d", i)
			assert.Equal(t, begin.Add(time.Duration(i)*time.Second), tick.GPU.To)
			assert.Equal(t, time.Second, tick.GPU.To.Sub(tick.GPU.From), "windows join")
			assert.Equal(t, time.Duration(min(i, 4))*time.Second, tick.GPU.Gaps[0].To.Sub(tick.GPU.Gaps[0].From), "gaps look back, but not before the first sample")
		}
		for i, want := range []bool{true, true, false, false, true, true, false, true} {
			assert.Equal(t, want, ticks[i].Server != nil, "round %d", i)
		}
		assert.Equal(t, begin.Add(2250*time.Millisecond), ticks[4].Server.At, "a late answer is of the time at which it was asked for")
		assert.Equal(t, gone, ticks[6].Err)
		assert.NoError(t, ticks[3].Err)
		assert.Equal(t, 6, server.asked, "one question at a time")
	})
}

// TestNoWindowOverAnOutage makes sure that nothing is said of a time without samples.
func TestNoWindowOverAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &silentGPU{steadyGPU{time.Now()}, time.Now().Add(4500 * time.Millisecond), time.Now().Add(9500 * time.Millisecond)}
		p := &poller{gpu: g, interval: time.Second}
		ctx, cancel := context.WithTimeout(t.Context(), 13*time.Second)
		defer cancel()
		var windows []time.Duration
		p.run(ctx, func(tick Tick) {
			if tick.GPU == nil {
				windows = append(windows, 0)
				return
			}
			windows = append(windows, tick.GPU.Gaps[0].To.Sub(tick.GPU.Gaps[0].From)/time.Second)
			assert.Equal(t, time.Second, tick.GPU.To.Sub(tick.GPU.From))
		})
		assert.Equal(t, []time.Duration{0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 1, 2}, windows)
	})
}

// A silentGPU has no samples for a while.
type silentGPU struct {
	steadyGPU
	from, to time.Time
}

func (g *silentGPU) Samples(from, to time.Time) []gpuprobe.Sample {
	return slices.DeleteFunc(g.steadyGPU.Samples(from, to), func(s gpuprobe.Sample) bool {
		return s.At.After(g.from) && s.At.Before(g.to)
	})
}

func TestPollerEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &poller{server: &slowServer{delay: func(int) (time.Duration, error) { return time.Hour, nil }}, interval: time.Second}
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		began := time.Now()
		p.run(ctx, func(Tick) { t.Error("no round is whole") })
		assert.Equal(t, 300*time.Millisecond, time.Since(began))
	})
}
