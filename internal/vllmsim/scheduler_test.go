package vllmsim

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ids returns n token ids that no other start gives.
func ids(start, n int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(start*10000 + i)
	}
	return out
}

func limits() Limits {
	return Limits{MaxNumSeqs: 4, MaxNumBatchedTokens: 64, BlockSize: 16, NumBlocks: 65, PrefixCaching: true}
}

// shares is a step's work as request id -> tokens.
func shares(b Batch) map[uint64]int {
	out := make(map[uint64]int)
	for _, w := range b.Work {
		out[w.Request.ID] = w.Tokens
	}
	return out
}

func requestIDs(rs []*Request) []uint64 {
	var out []uint64
	for _, r := range rs {
		out = append(out, r.ID)
	}
	return out
}

// TestSteps gives, for each step, the tokens that each request computes.
func TestSteps(t *testing.T) {
	type request struct{ prompt, output int }
	type step map[uint64]int
	tests := []struct {
		name     string
		change   func(*Limits)
		requests []request // ids count from 1
		want     []step
	}{
		{"alone", nil, []request{{10, 3}}, []step{{1: 10}, {1: 1}, {1: 1}}},
		{"one token", nil, []request{{10, 1}}, []step{{1: 10}}},
		{"a long prompt in chunks", nil, []request{{150, 2}}, []step{{1: 64}, {1: 64}, {1: 22}, {1: 1}}},
		{"a prompt of exactly the budget", nil, []request{{64, 2}}, []step{{1: 64}, {1: 1}}},
		{
			"decode first, the prompt takes what is left", nil,
			[]request{{50, 3}, {100, 2}},
			[]step{{1: 50, 2: 14}, {1: 1, 2: 63}, {1: 1, 2: 23}, {2: 1}},
		},
		{
			"max-num-seqs", func(l *Limits) { l.MaxNumSeqs = 2 },
			[]request{{5, 2}, {5, 3}, {5, 1}},
			[]step{{1: 5, 2: 5}, {1: 1, 2: 1}, {2: 1, 3: 5}},
		},
		{
			"the queue is in order: the third waits behind the second", func(l *Limits) { l.NumBlocks = 5 },
			[]request{{30, 2}, {50, 1}, {5, 1}},
			[]step{{1: 30}, {1: 1}, {2: 50}, {3: 5}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := limits()
			if tt.change != nil {
				tt.change(&l)
			}
			s := NewScheduler(l)
			for i, r := range tt.requests {
				s.Add(NewRequest(uint64(i+1), ids(i, r.prompt), r.output, ""))
			}
			for i, want := range tt.want {
				b := s.Schedule()
				assert.Equal(t, map[uint64]int(want), shares(b), "step %d", i+1)
				s.Finish(b)
			}
			assert.True(t, s.Idle(), "nothing is left")
			assert.Zero(t, s.KVUsage())
		})
	}
}

func TestOutputs(t *testing.T) {
	s := NewScheduler(limits())
	r := NewRequest(1, ids(0, 70), 2, "")
	s.Add(r)
	assert.Empty(t, s.Finish(s.Schedule()), "the first chunk of a prompt generates nothing")
	assert.Equal(t, []Output{{Request: r, First: true}}, s.Finish(s.Schedule()))
	assert.Equal(t, []Output{{Request: r, Done: true}}, s.Finish(s.Schedule()))
}

func TestPreemption(t *testing.T) {
	l := limits()
	l.NumBlocks = 5
	s := NewScheduler(l)
	first, second := NewRequest(1, ids(1, 30), 20, ""), NewRequest(2, ids(2, 31), 5, "")
	s.Add(first)
	s.Add(second)

	b := s.Schedule()
	assert.Equal(t, map[uint64]int{1: 30, 2: 31}, shares(b))
	assert.Equal(t, 1.0, s.KVUsage())
	s.Finish(b)
	s.Finish(s.Schedule()) // 31 and 32 tokens: the blocks are full

	b = s.Schedule()
	assert.Equal(t, map[uint64]int{1: 1}, shares(b), "the first still has room")
	assert.Equal(t, []uint64{2}, requestIDs(b.Preempted), "the last needs a block, and gives up its own")
	assert.Equal(t, 1, second.Preemptions)
	assert.Equal(t, 1, s.Waiting())
	s.Finish(b)

	s.Add(NewRequest(3, ids(3, 5), 1, ""))
	for s.Waiting() > 0 {
		b = s.Schedule()
		s.Finish(b)
	}
	assert.Equal(t, []uint64{2, 3}, requestIDs(b.Admitted), "the preempted one comes before newer requests")
	finishAll(s)
	assert.Equal(t, 20, first.Generated)
	assert.Equal(t, 5, second.Generated, "its tokens were kept")
	assert.Zero(t, first.Preemptions)
}

// A resumed request computes its prompt and its output so far, or finds them
// in the prefix cache.
func TestResume(t *testing.T) {
	for _, caching := range []bool{false, true} {
		l := limits()
		l.NumBlocks, l.MaxNumBatchedTokens, l.PrefixCaching = 6, 128, caching
		s := NewScheduler(l)
		s.Add(NewRequest(1, ids(1, 30), 4, ""))
		s.Add(NewRequest(2, ids(2, 47), 5, ""))
		s.Finish(s.Schedule())
		s.Finish(s.Schedule())
		b := s.Schedule()
		require.Equal(t, []uint64{2}, requestIDs(b.Preempted))
		s.Finish(b)
		s.Finish(s.Schedule()) // the first ends
		want := 49
		if caching {
			want = 49 - 2*16 // its third block went to the first request
		}
		assert.Equal(t, map[uint64]int{2: want}, shares(s.Schedule()), "caching %v", caching)
	}
}

func TestAbort(t *testing.T) {
	s := NewScheduler(limits())
	for id := uint64(1); id <= 6; id++ {
		s.Add(NewRequest(id, ids(int(id), 5), 2, ""))
	}
	b := s.Schedule()
	assert.True(t, s.Abort(2), "running, in mid-step")
	assert.True(t, s.Abort(5), "waiting")
	assert.False(t, s.Abort(9), "never there")
	outputs := s.Finish(b)
	assert.Len(t, outputs, 3, "the aborted request's token is dropped")
	assert.False(t, s.Abort(2), "only once")
	assert.Equal(t, map[uint64]int{1: 1, 3: 1, 4: 1, 6: 5}, shares(s.Schedule()))
}
