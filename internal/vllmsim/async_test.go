package vllmsim

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// kernels is what soloSteps says of the GPU's part.
func kernels(t *testing.T, prompt, output int) []time.Duration {
	var out []time.Duration
	for _, s := range soloSteps(t, prompt, output) {
		out = append(out, s.kernels)
	}
	return out
}

func TestAsyncStepsHideTheOverhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := startEngine(t, Config{}, 0)
		start := time.Now()
		end := stepOverhead
		got := arrivals(submit(e, 1, 100, 50), start)
		for i, k := range kernels(t, 100, 50) {
			end += k
			require.Equal(t, end, got[i], "token %d", i)
		}
	})
}

// Where the CPU needs longer than the GPU, it sets the pace.
func TestAsyncStepsBoundByTheCPU(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const step = 20 * time.Millisecond
		e := startEngine(t, Config{Timing: Timing{Step: step}}, 0)
		start := time.Now()
		got := arrivals(submit(e, 1, 10, 10), start)
		for i := 2; i < len(got)-1; i++ {
			assert.Equal(t, step, got[i]-got[i-1], "token %d", i)
		}
	})
}

// The step after the one in progress is scheduled already when a newcomer comes.
func TestAsyncNewcomerMissesAStep(t *testing.T) {
	for _, async := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			e := startEngine(t, Config{NoAsyncScheduling: !async}, 0)
			start := time.Now()
			first := submit(e, 1, 10, 20)
			time.Sleep(20 * time.Millisecond) // in the third step
			second := submit(e, 2, 10, 1)
			at := arrivals(second, start)[0]
			all := arrivals(first, start)
			if async {
				assert.Equal(t, all[4], at, "it comes into the fifth step")
			} else {
				assert.Equal(t, all[3], at, "it comes into the fourth step")
			}
		})
	}
}

// A request that loses its blocks while a step computes its next token gets
// that token, and resumes behind it.
func TestAsyncPreemptionDeliversTheTokenInFlight(t *testing.T) {
	l := limits()
	l.NumBlocks = 5
	s := NewScheduler(l)
	first, second := NewRequest(1, ids(1, 30), 20, ""), NewRequest(2, ids(2, 31), 5, "")
	s.Add(first)
	s.Add(second)
	b1 := s.Schedule()
	b2 := s.Schedule()
	assert.Equal(t, map[uint64]int{1: 1, 2: 1}, shares(b2), "each has a token to come")
	assert.Len(t, s.Finish(b1), 2)

	b3 := s.Schedule()
	require.Equal(t, []uint64{2}, requestIDs(b3.Preempted), "its 33rd token has no block")
	assert.Equal(t, map[uint64]int{1: 1}, shares(b3))
	assert.Equal(t, 1, second.Generated)
	assert.Len(t, s.Finish(b2), 2, "the token in flight is delivered")
	assert.Equal(t, 2, second.Generated)
	assert.Equal(t, 1, s.Waiting())
	s.Finish(b3)
	finishAll(s)
	assert.Equal(t, 5, second.Generated)
	assert.Equal(t, 20, first.Generated)
}

// A request that is preempted with its last token in flight never resumes.
func TestAsyncLastTokenAfterPreemption(t *testing.T) {
	l := limits()
	l.NumBlocks = 5
	s := NewScheduler(l)
	s.Add(NewRequest(1, ids(1, 31), 20, ""))
	s.Add(NewRequest(2, ids(2, 31), 2, ""))
	b1 := s.Schedule()
	b2 := s.Schedule()
	s.Finish(b1)
	b3 := s.Schedule()
	require.Equal(t, []uint64{2}, requestIDs(b3.Preempted))
	assert.Equal(t, 1, s.Waiting())
	outputs := s.Finish(b2)
	assert.True(t, outputs[1].Done)
	assert.Zero(t, s.Waiting())
	s.Finish(b3)
	finishAll(s)
	assert.Equal(t, s.pool.total, s.pool.free)
}
