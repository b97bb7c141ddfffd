package capacity

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/vllmsim"
)

// A slot is the embedded server with one slot, on a clock of its own.
type slot struct {
	*vllmsim.Virtual
	rng  *rand.Rand
	sent map[uint64]time.Time
}

func newSlot(rng *rand.Rand) (*slot, error) {
	v, err := vllmsim.NewVirtual(vllmsim.Config{MaxNumSeqs: 1, MaxModelLen: 64, NumGPUBlocksOverride: 16, NoAsyncScheduling: true, NoPrefixCaching: true})
	return &slot{v, rng, map[uint64]time.Time{}}, err
}

var prompt = make([]int32, 8)

func (s *slot) send(at time.Time, tokens int) {
	id := uint64(len(s.sent) + 1)
	s.sent[id] = at
	s.Send(vllmsim.NewRequest(id, prompt, tokens, ""), at)
}

// step is Step, with each first token's TTFT and each end told.
func (s *slot) step(first func(ttft time.Duration), done func(at time.Time)) {
	out, now := s.Step()
	for _, o := range out {
		if o.First {
			first(now.Sub(s.sent[o.Request.ID]))
		}
		if o.Done {
			done(now)
		}
	}
}

// alone is how long a request of so many tokens takes on the idle server.
func alone(t *testing.T, tokens int) (took time.Duration) {
	s, err := newSlot(nil)
	require.NoError(t, err)
	s.send(time.Unix(0, 0), tokens)
	for took == 0 {
		s.step(func(time.Duration) {}, func(at time.Time) { took = at.Sub(time.Unix(0, 0)) })
	}
	return took
}

// open is a probe at that rate, requests a second: after ramp requests come n that count.
func (s *slot) open(rate float64, ramp, n int, bound time.Duration) (w Window) {
	next := time.Unix(0, 0)
	for w.Requests < n {
		for at, ok := s.Next(); !ok || !next.After(at); at, ok = s.Next() {
			s.send(next, 1)
			next = next.Add(time.Duration(s.rng.ExpFloat64() / rate * 1e9))
		}
		s.step(func(ttft time.Duration) {
			if ramp--; ramp >= 0 {
				return
			}
			w.Requests++
			if ttft <= bound {
				w.Met++
			}
		}, func(time.Time) {})
	}
	return w
}

// closed is a probe of that many streams, whose requests have either of those numbers of tokens.
func (s *slot) closed(streams, n int, tokens [2]int, bound time.Duration) (w Window) {
	draw := func() int { return tokens[s.rng.IntN(2)] }
	for range streams {
		s.send(time.Unix(0, 0), draw())
	}
	ramp := 2 * streams
	for w.Requests < n {
		s.step(func(ttft time.Duration) {
			if ramp--; ramp >= 0 {
				return
			}
			w.Requests++
			if ttft <= bound {
				w.Met++
			}
		}, func(at time.Time) { s.send(at, draw()) })
	}
	return w
}

// TestRateOfTheServer searches for the rate at which one slot of the embedded
// server keeps 95 % of its TTFTs: an M/D/1 queue, whose service is a prefill.
func TestRateOfTheServer(t *testing.T) {
	t.Parallel()
	const wait = 5.0 // services
	service := alone(t, 1)
	y := tally{truth: (&queue{bound: wait}).capacity(0.95) / service.Seconds()}
	for seed := range *seeds {
		rng := rand.New(rand.NewPCG(seed, 90210))
		measure := func(_ context.Context, rate float64) (Window, error) {
			s, err := newSlot(rng)
			if err != nil {
				return Window{}, err
			}
			return s.open(rate, 300, 600, time.Duration((1+wait)*float64(service))), nil
		}
		a, err := Search{Measure: measure, From: y.truth / 40, Begin: y.truth / 1.6, Max: 50 * y.truth}.Run(t.Context())
		require.NoError(t, err)
		y.add(a, false)
	}
	t.Log(&y)
	assert.GreaterOrEqual(t, 100*y.held, 90*y.n, "%v", &y)
}

// TestStreamsOfTheServer searches for the number of streams whose TTFTs one
// slot keeps. A request waits for those of all other streams, each short or
// long by a coin: the share is binomial.
func TestStreamsOfTheServer(t *testing.T) {
	t.Parallel()
	tokens := [2]int{1, 4}
	short, long := alone(t, tokens[0]), alone(t, tokens[1])
	first := short
	bound := first + 6*long + 8*short
	share := func(streams int) (p float64) {
		others := streams - 1
		term := 1.0
		for range others {
			term /= 2
		}
		for k := 0; k <= others; k++ { // so many are long
			if first+time.Duration(k)*long+time.Duration(others-k)*short <= bound {
				p += term
			}
			term *= float64(others-k) / float64(k+1)
		}
		return p
	}
	y := tally{truth: 1}
	for share(int(y.truth)+1) >= 0.95 {
		y.truth++
	}
	t.Logf("shares of %.4g streams and one more: %.3f, %.3f", y.truth, share(int(y.truth)), share(int(y.truth)+1))
	for seed := range *seeds {
		rng := rand.New(rand.NewPCG(seed, 90210))
		measure := func(_ context.Context, streams float64) (Window, error) {
			s, err := newSlot(rng)
			if err != nil {
				return Window{}, err
			}
			return s.closed(int(streams), 400, tokens, bound), nil
		}
		a, err := Search{Measure: measure, From: 1, Max: 64, Whole: true}.Run(t.Context())
		require.NoError(t, err)
		y.add(a, true)
	}
	t.Log(&y)
	assert.GreaterOrEqual(t, 100*y.held, 90*y.n, "%v", &y)
}
