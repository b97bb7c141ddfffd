package vllmsim

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A randomLoad is Poisson arrivals of requests of many lengths, some of which
// begin alike.
type randomLoad []struct {
	at     time.Duration
	prompt []int32
	output int
}

func newRandomLoad(n int, gap time.Duration) randomLoad {
	rng := rand.New(rand.NewPCG(4, 4))
	load := make(randomLoad, n)
	at := 0.0
	for i := range load {
		at += rng.ExpFloat64() * float64(gap)
		load[i].at = time.Duration(at)
		load[i].prompt = ids(rng.IntN(3), 1+rng.IntN(300))
		load[i].output = 1 + rng.IntN(60)
	}
	return load
}

// onEngine returns when each token came from an engine on the fake clock.
func onEngine(t *testing.T, c Config, load randomLoad) [][]time.Duration {
	tokens := make([][]time.Duration, len(load))
	synctest.Test(t, func(t *testing.T) {
		e := startEngine(t, c, 0)
		start := time.Now()
		var wg sync.WaitGroup
		for i, l := range load {
			time.Sleep(l.at - time.Since(start))
			j := newJob(NewRequest(uint64(i), l.prompt, l.output, ""))
			e.submit(j)
			wg.Go(func() { tokens[i] = arrivals(j, start) })
		}
		wg.Wait()
	})
	return tokens
}

// onVirtual returns the same of a Virtual.
func onVirtual(t *testing.T, c Config, load randomLoad) [][]time.Duration {
	v, err := NewVirtual(c)
	require.NoError(t, err)
	tokens := make([][]time.Duration, len(load))
	epoch := time.Unix(0, 0)
	for i := 0; ; {
		next, busy := v.Next()
		if i < len(load) && !(busy && next.Before(epoch.Add(load[i].at))) {
			v.Send(NewRequest(uint64(i), load[i].prompt, load[i].output, ""), epoch.Add(load[i].at))
			i++
			continue
		}
		if !busy {
			return tokens
		}
		outputs, at := v.Step()
		for _, o := range outputs {
			tokens[o.Request.ID] = append(tokens[o.Request.ID], at.Sub(epoch))
		}
	}
}

// TestVirtualIsTheEngine: the same times to the nanosecond, idle and crowded,
// with preemptions and prefix hits.
func TestVirtualIsTheEngine(t *testing.T) {
	for i, tc := range []struct {
		Config
		gap time.Duration
	}{
		{Config{}, time.Second},
		{Config{}, 20 * time.Millisecond},
		{Config{NoAsyncScheduling: true}, 20 * time.Millisecond},
		{Config{MaxNumSeqs: 4, MaxNumBatchedTokens: 128}, 100 * time.Millisecond},
		{Config{MaxModelLen: 512, NumGPUBlocksOverride: 60}, 50 * time.Millisecond},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			load := newRandomLoad(150, tc.gap)
			assert.Equal(t, onEngine(t, tc.Config, load), onVirtual(t, tc.Config, load))
		})
	}
}

// TestVirtualDoor: who is on the way to the engine is what is waited for.
func TestVirtualDoor(t *testing.T) {
	v, err := NewVirtual(Config{Timing: Timing{Request: 4 * time.Millisecond, Latency: 2 * time.Millisecond}})
	require.NoError(t, err)
	_, busy := v.Next()
	require.False(t, busy)
	none, _ := v.Step()
	require.Empty(t, none)

	at := func(ms int) time.Time { return time.Unix(0, int64(ms)*1e6) }
	v.Send(NewRequest(1, ids(1, 5), 1, ""), at(10))
	next, busy := v.Next()
	require.True(t, busy)
	assert.Equal(t, at(16), next)
	v.Send(NewRequest(2, ids(2, 5), 1, ""), at(12))
	next, _ = v.Next()
	assert.Equal(t, at(18), next, "both share the CPU from 12 ms on: 2 ms alone, then 4 at half the speed, then the latency")
}
