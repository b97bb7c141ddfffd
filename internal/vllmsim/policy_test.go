package vllmsim

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRules gives, for each step, the tokens that each request computes under
// a rule that is not the default.
func TestRules(t *testing.T) {
	type request struct{ prompt, output, priority int }
	type step map[uint64]int
	tests := []struct {
		name     string
		change   func(*Limits)
		requests []request // ids count from 1
		want     []step
	}{
		{
			"a long prefill is bounded while there are others", func(l *Limits) { l.LongPrefill = 20 },
			[]request{{50, 1, 0}, {5, 1, 0}},
			[]step{{1: 20, 2: 5}, {1: 30}},
		},
		{
			"and not bounded alone", func(l *Limits) { l.LongPrefill = 20 },
			[]request{{50, 1, 0}}, []step{{1: 50}},
		},
		{
			"the bound is no less than a fair share", func(l *Limits) { l.LongPrefill, l.LongPrefillAdaptive = 20, true },
			[]request{{50, 1, 0}, {5, 1, 0}},
			[]step{{1: 32, 2: 5}, {1: 18}},
		},
		{
			"a whole prompt waits for a step with room", func(l *Limits) { l.WholePrompts = true },
			[]request{{40, 1, 0}, {40, 1, 0}, {5, 1, 0}},
			[]step{{1: 40}, {2: 40, 3: 5}},
		},
		{
			"by priority, then by arrival", func(l *Limits) { l.Priority, l.MaxNumSeqs = true, 1 },
			[]request{{5, 1, 1}, {6, 1, 0}, {7, 1, -1}, {8, 1, 0}},
			[]step{{3: 7}, {2: 6}, {4: 8}, {1: 5}},
		},
		{
			"all of a prompt must fit, not only its first chunk", func(l *Limits) { l.NumBlocks = 7 },
			[]request{{48, 4, 0}, {60, 1, 0}}, // three blocks and a fourth; four
			[]step{{1: 48}, {1: 1}, {1: 1}, {1: 1}, {2: 60}},
		},
		{
			"unless the first chunk is enough: then the rest may not fit, and the prompt starts over", func(l *Limits) { l.NumBlocks, l.FirstChunkOnly = 7, true },
			[]request{{48, 4, 0}, {60, 1, 0}},
			[]step{{1: 48, 2: 16}, {1: 1}, {1: 1}, {1: 1}, {2: 60}},
		},
		{
			"an admission leaves the watermark free", func(l *Limits) { l.NumBlocks, l.WatermarkBlocks = 7, 3 },
			[]request{{40, 2, 0}, {5, 1, 0}}, // three of six blocks; one
			[]step{{1: 40}, {1: 1}, {2: 5}},
		},
		{
			"but for the first", func(l *Limits) { l.NumBlocks, l.WatermarkBlocks = 7, 6 },
			[]request{{40, 1, 0}}, []step{{1: 40}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := limits()
			l.PrefixCaching = false
			tt.change(&l)
			s := NewScheduler(l)
			for i, r := range tt.requests {
				q := NewRequest(uint64(i+1), ids(i, r.prompt), r.output, "")
				q.Priority = r.priority
				s.Add(q)
			}
			for i, want := range tt.want {
				b := s.Schedule()
				assert.Equal(t, map[uint64]int(want), shares(b), "step %d", i+1)
				s.Finish(b)
			}
			assert.True(t, s.Idle(), "nothing is left")
		})
	}
}

// By priority, the least important request gives up its blocks, wherever it
// runs and though the step has it already.
func TestPreemptionByPriority(t *testing.T) {
	l := limits()
	l.NumBlocks, l.Priority, l.PrefixCaching = 5, true, false
	s := NewScheduler(l)
	unimportant := NewRequest(1, ids(1, 30), 9, "")
	unimportant.Priority = 5
	s.Add(unimportant)
	s.Finish(s.Schedule())
	s.Add(NewRequest(2, ids(2, 32), 9, ""))
	s.Finish(s.Schedule())

	b := s.Schedule()
	assert.Equal(t, []uint64{1}, requestIDs(b.Preempted))
	assert.Equal(t, map[uint64]int{2: 1}, shares(b), "the first left the step")
	assert.Equal(t, 1, b.Tokens)
	s.Finish(b)
	finishAll(s)
	assert.Equal(t, 9, unimportant.Generated)
}

// Of equal blocks that were computed side by side, each is known: when the
// first is taken for something else, the others still serve.
func TestEqualBlocksAreAllKnown(t *testing.T) {
	p := newBlockPool(3)
	a, b, c := p.take(), p.take(), p.take()
	h := blockHash{1}
	p.publish(a, h)
	p.publish(b, h)
	p.publish(c, h)
	p.forget(b)
	assert.Same(t, a, p.cached[h])
	p.forget(a)
	require.Same(t, c, p.cached[h])
	p.forget(c)
	assert.Empty(t, p.cached)
}

// Unknown blocks are reused first, the last returned before the others.
func TestUnknownBlocksAreReusedFirst(t *testing.T) {
	p := newBlockPool(5)
	a, b, c := p.take(), p.take(), p.take()
	p.publish(a, blockHash{1})
	p.release([]*block{a, b, c})
	assert.Same(t, c, p.take())
	assert.Same(t, b, p.take())
	p.take()
	p.take()
	assert.Same(t, a, p.take(), "the known one last")
}
