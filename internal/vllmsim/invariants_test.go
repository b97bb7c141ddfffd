package vllmsim

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzScheduler drives a small scheduler with arbitrary arrivals and aborts,
// and checks after every step what must always hold.
func FuzzScheduler(f *testing.F) {
	f.Add(uint64(1), uint8(8), uint8(3), uint8(20))
	f.Add(uint64(2), uint8(5), uint8(16), uint8(1))
	f.Add(uint64(3), uint8(40), uint8(1), uint8(90))
	f.Fuzz(func(t *testing.T, seed uint64, blocks, seqs, budget uint8) {
		rng := rand.New(rand.NewPCG(seed, 0))
		const longest = 20 // tokens; five blocks
		l := Limits{
			MaxNumSeqs: 1 + int(seqs), MaxNumBatchedTokens: 1 + int(budget),
			BlockSize: 4, NumBlocks: 5 + int(blocks), PrefixCaching: seed%2 == 0,
		}
		s := NewScheduler(l)
		alive := make(map[uint64]*Request)
		for step := 0; step < 60 || !s.Idle(); step++ {
			require.Less(t, step, 100_000, "requests do not end")
			if step < 60 && rng.IntN(2) == 0 {
				prompt := make([]int32, 1+rng.IntN(longest-1))
				for i := range prompt {
					prompt[i] = int32(rng.IntN(2)) // so that prefixes are shared
				}
				r := NewRequest(uint64(step), prompt, 1+rng.IntN(longest-len(prompt)), "")
				alive[r.ID] = r
				s.Add(r)
			}
			idle := s.Idle()
			b := s.Schedule()
			checkBatch(t, l, s, b, idle)
			checkBlocks(t, s)
			if rng.IntN(10) == 0 && len(b.Work) > 0 {
				id := b.Work[rng.IntN(len(b.Work))].Request.ID
				require.True(t, s.Abort(id))
				delete(alive, id)
			}
			for _, out := range s.Finish(b) {
				require.Contains(t, alive, out.Request.ID, "an output for a request that is not there")
				require.Equal(t, out.Done, out.Request.Generated == out.Request.MaxTokens)
				if out.Done {
					delete(alive, out.Request.ID)
				}
			}
			checkBlocks(t, s)
		}
		require.Empty(t, alive, "requests were lost")
		require.Equal(t, s.pool.total, s.pool.free, "blocks were lost")
	})
}

func checkBatch(t *testing.T, l Limits, s *Scheduler, b Batch, idle bool) {
	t.Helper()
	require.Equal(t, idle, len(b.Work) == 0, "a step does something whenever there is something to do")
	require.LessOrEqual(t, b.Tokens, l.MaxNumBatchedTokens)
	require.LessOrEqual(t, s.Running(), l.MaxNumSeqs)
	sum, seen := 0, make(map[uint64]bool)
	for _, w := range b.Work {
		require.Positive(t, w.Tokens)
		require.False(t, seen[w.Request.ID], "twice in a step")
		seen[w.Request.ID] = true
		require.Equal(t, w.Sample, w.Context+w.Tokens == w.Request.Tokens())
		require.LessOrEqual(t, w.Context+w.Tokens, len(w.Request.blocks)*l.BlockSize, "computed without a block")
		sum += w.Tokens
	}
	require.Equal(t, sum, b.Tokens)
	for _, r := range b.Preempted {
		require.False(t, seen[r.ID], "preempted and scheduled")
	}
}

// checkBlocks counts every block once: in the free list, or by its users.
func checkBlocks(t *testing.T, s *Scheduler) {
	t.Helper()
	users := make(map[*block]int)
	for _, r := range s.running {
		for _, b := range r.blocks {
			users[b]++
		}
	}
	for b, n := range users {
		require.Equal(t, n, b.refs)
	}
	free := 0
	for b := s.pool.list.next; b != &s.pool.list; b = b.next {
		require.Zero(t, b.refs, "free and in use")
		free++
	}
	require.Equal(t, s.pool.free, free)
	require.Equal(t, s.pool.total, free+len(users))
	for h, b := range s.pool.cached {
		require.True(t, b.hashed && b.hash == h)
	}
	for _, r := range s.waiting {
		require.Empty(t, r.blocks)
	}
}
