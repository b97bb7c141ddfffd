package vllmsim

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// longest is the longest sequence of the fuzzed schedulers, in tokens: five blocks.
const longest = 20

// fuzzedLimits are those that the bits of rules choose.
func fuzzedLimits(blocks, seqs, budget, rules uint8) Limits {
	on := func(bit int) bool { return rules>>bit&1 == 1 }
	l := Limits{
		MaxNumSeqs: 1 + int(seqs), MaxNumBatchedTokens: 1 + int(budget),
		BlockSize: 4, NumBlocks: 6 + int(blocks), PrefixCaching: on(0),
		Priority: on(1), WholePrompts: on(2), FirstChunkOnly: on(3), LongPrefillAdaptive: on(4),
	}
	if l.WholePrompts {
		l.MaxNumBatchedTokens += longest
	}
	if on(5) {
		l.WatermarkBlocks = 3
	}
	if on(6) {
		l.LongPrefill = 3
	}
	return l
}

// FuzzScheduler drives a small scheduler with arbitrary arrivals and aborts,
// and checks after every step what must always hold.
func FuzzScheduler(f *testing.F) {
	for rules := range uint8(255) {
		f.Add(uint64(rules), rules%40, rules%17, rules%90, rules)
	}
	f.Fuzz(func(t *testing.T, seed uint64, blocks, seqs, budget, rules uint8) {
		rng := rand.New(rand.NewPCG(seed, 0))
		l := fuzzedLimits(blocks, seqs, budget, rules)
		depth := 1 + int(rules>>7)
		s := NewScheduler(l)
		alive := make(map[uint64]*Request)
		var inFlight []Batch
		for step := 0; step < 60 || !s.Idle() || len(inFlight) > 0; step++ {
			require.Less(t, step, 10_000, "requests do not end")
			if step < 60 && rng.IntN(2) == 0 {
				r := fuzzedRequest(rng, uint64(step))
				alive[r.ID] = r
				s.Add(r)
			}
			idle := s.Idle()
			b := s.Schedule()
			checkBatch(t, l, s, b)
			if !idle && len(inFlight) == 0 && len(b.Work) == 0 {
				require.True(t, l.Priority && len(b.Preempted) > 0, "a step does something whenever there is something to do, "+
					"but for the least important request that gives up its own blocks")
			}
			checkBlocks(t, s)
			if len(b.Work) > 0 {
				if inFlight = append(inFlight, b); len(inFlight) < depth {
					continue
				}
			}
			if len(inFlight) == 0 {
				continue
			}
			if rng.IntN(10) == 0 && len(b.Work) > 0 {
				id := b.Work[rng.IntN(len(b.Work))].Request.ID
				require.True(t, s.Abort(id))
				delete(alive, id)
			}
			for _, out := range s.Finish(inFlight[0]) {
				require.Contains(t, alive, out.Request.ID, "an output for a request that is not there")
				require.Equal(t, out.Done, out.Request.Generated == out.Request.MaxTokens)
				if out.Done {
					delete(alive, out.Request.ID)
				}
			}
			inFlight = inFlight[1:]
			checkBlocks(t, s)
		}
		require.Empty(t, alive, "requests were lost")
		require.Equal(t, s.pool.total, s.pool.free, "blocks were lost")
	})
}

func fuzzedRequest(rng *rand.Rand, id uint64) *Request {
	prompt := make([]int32, 1+rng.IntN(longest-1))
	for i := range prompt {
		prompt[i] = int32(rng.IntN(2)) // so that prefixes are shared
	}
	r := NewRequest(id, prompt, 1+rng.IntN(longest-len(prompt)), "")
	r.Priority = rng.IntN(3)
	return r
}

func checkBatch(t *testing.T, l Limits, s *Scheduler, b Batch) {
	t.Helper()
	require.LessOrEqual(t, b.Tokens, l.MaxNumBatchedTokens)
	require.LessOrEqual(t, s.Running(), l.MaxNumSeqs)
	sum, seen := 0, make(map[uint64]bool)
	for _, w := range b.Work {
		require.Positive(t, w.Tokens)
		require.False(t, seen[w.Request.ID], "twice in a step")
		seen[w.Request.ID] = true
		require.Equal(t, w.Sample, w.Request.pending > 0)
		require.True(t, !w.Sample || w.Context+w.Tokens == w.Request.Tokens()+w.Request.pending-1)
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
		for ; b != nil; b = b.same {
			require.True(t, b.hashed && b.hash == h)
		}
	}
	for _, r := range s.waiting.requests {
		require.Empty(t, r.blocks)
	}
}
