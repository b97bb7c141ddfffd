package vllmsim

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// finishAll runs the scheduler until it is idle.
func finishAll(s *Scheduler) {
	for !s.Idle() {
		s.Finish(s.Schedule())
	}
}

func TestPrefixHits(t *testing.T) {
	shared := ids(1, 48)
	tests := []struct {
		name   string
		first  []int32
		second []int32
		salts  [2]string
		want   int // tokens of the second found in the cache
	}{
		{"nothing shared", ids(1, 48), ids(2, 48), [2]string{}, 0},
		{"all but the last token", shared, shared, [2]string{}, 32},
		{"one more token", shared, append(ids(1, 48), 7), [2]string{}, 48},
		{"less than a block", ids(1, 15), ids(1, 15), [2]string{}, 0},
		{"whole blocks only", ids(1, 40), append(ids(1, 40), 1, 2, 3), [2]string{}, 32},
		{"a change in the second block", shared, append(append(ids(1, 16), ids(3, 16)...), shared[32:]...), [2]string{}, 16},
		{"a change in the first block hides the rest", shared, append(ids(4, 16), shared[16:]...), [2]string{}, 0},
		{"the same salt", shared, shared, [2]string{"a", "a"}, 32},
		{"another salt", shared, shared, [2]string{"a", "b"}, 0},
		{"no salt against a salt", shared, shared, [2]string{"", "b"}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, caching := range []bool{true, false} {
				l := limits()
				l.PrefixCaching = caching
				s := NewScheduler(l)
				s.Add(NewRequest(1, tt.first, 1, tt.salts[0]))
				finishAll(s)
				second := NewRequest(2, tt.second, 1, tt.salts[1])
				s.Add(second)
				b := s.Schedule()
				want := 0
				if caching {
					want = tt.want
				}
				assert.Equal(t, want, second.Cached)
				assert.Equal(t, len(tt.second)-want, b.Tokens, "the rest is computed")
			}
		})
	}
}

// The output of one request is a prefix of the next turn's prompt.
func TestOutputIsCached(t *testing.T) {
	s := NewScheduler(limits())
	first := NewRequest(1, ids(1, 16), 33, "")
	s.Add(first)
	finishAll(s)
	prompt := ids(1, 16)
	for i := range 33 {
		prompt = append(prompt, first.Output(i))
	}
	second := NewRequest(2, prompt, 1, "")
	s.Add(second)
	s.Schedule()
	assert.Equal(t, 48, second.Cached, "the last generated token was never computed")
}

func TestRunningRequestsShareBlocks(t *testing.T) {
	s := NewScheduler(limits())
	s.Add(NewRequest(1, ids(1, 33), 5, ""))
	s.Add(NewRequest(2, ids(1, 33), 5, ""))
	b := s.Schedule()
	assert.Equal(t, map[uint64]int{1: 33, 2: 1}, shares(b), "in one step, too")
	assert.Equal(t, 4.0/64, s.KVUsage(), "two blocks together, and one each")
	assert.False(t, s.ResetPrefixCache(), "in use")
	s.Abort(1)
	assert.Equal(t, 3.0/64, s.KVUsage(), "the second still holds the shared ones")
	s.Abort(2)
	assert.Zero(t, s.KVUsage())
}

func TestEviction(t *testing.T) {
	l := limits()
	l.NumBlocks = 7
	s := NewScheduler(l)
	hits := func(id uint64, prompt []int32) int {
		r := NewRequest(id, prompt, 1, "")
		s.Add(r)
		finishAll(s)
		return r.Cached
	}
	hits(1, ids(1, 33)) // two cached blocks and one that is not
	hits(2, ids(2, 33))
	assert.Equal(t, 32, hits(3, ids(1, 33)), "all six blocks are still there")
	hits(4, ids(4, 33)) // takes the two unknown blocks and the longest unused: the second's tail
	assert.Equal(t, 32, hits(5, ids(1, 33)), "used more recently")
	assert.Equal(t, 16, hits(6, ids(2, 33)), "its tail was evicted")
}

func TestEvictionTakesTheTailFirst(t *testing.T) {
	l := limits()
	l.NumBlocks = 5
	s := NewScheduler(l)
	s.Add(NewRequest(1, ids(1, 64), 1, ""))
	finishAll(s)
	s.Add(NewRequest(2, ids(2, 20), 1, "")) // two blocks
	finishAll(s)
	r := NewRequest(3, ids(1, 64), 1, "")
	s.Add(r)
	s.Schedule()
	assert.Equal(t, 32, r.Cached, "the first two blocks of the first request are left")
}

func TestResetPrefixCache(t *testing.T) {
	s := NewScheduler(limits())
	s.Add(NewRequest(1, ids(1, 48), 1, ""))
	finishAll(s)
	assert.True(t, s.ResetPrefixCache())
	r := NewRequest(2, ids(1, 48), 1, "")
	s.Add(r)
	finishAll(s)
	assert.Zero(t, r.Cached)
	again := NewRequest(3, ids(1, 48), 1, "")
	s.Add(again)
	finishAll(s)
	assert.Equal(t, 32, again.Cached, "and fills again")
}
