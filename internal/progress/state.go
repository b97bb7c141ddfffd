package progress

import (
	"slices"
	"time"
)

// A phase is a part of a cell.
type phase int

const (
	idle phase = iota // no cell runs
	warming
	timing
	draining
)

// recent is how many of the latest TTFTs the median is taken of.
const recent = 256

// A state is what is known of the run.
type state struct {
	estimate

	phase    phase
	name     string
	index    int // in the plan; -1: not there
	round    int // from 1
	begun    map[string]int
	began    time.Time
	opened   time.Time // the window's start
	ops      int       // of the window
	inFlight int

	// The counts below are of the window, but of the load that leads to it
	// until a first request has ended there: that may take a while.
	fresh  bool      // none has
	from   time.Time // since when they count
	tokens int       // of requests that ended
	last   time.Time // when the latest of them ended
	ttfts  []time.Duration
	seen   int // TTFTs

	void  int    // cells so far
	first string // why the first one is void
}

func newState(p Plan) state {
	p.Rounds = max(p.Rounds, 1)
	return state{estimate: newEstimate(p), begun: map[string]int{}, ttfts: make([]time.Duration, 0, recent)}
}

func (s *state) begin(cell string, now time.Time) {
	s.phase, s.name, s.began = warming, cell, now
	s.begun[cell]++
	s.round = s.begun[cell]
	s.index = slices.Index(s.plan.Cells, cell)
	s.ops, s.inFlight, s.fresh = 0, 0, false
	s.since(now)
}

// since counts anew.
func (s *state) since(t time.Time) {
	s.from, s.last = t, t
	s.tokens, s.seen, s.ttfts = 0, 0, s.ttfts[:0]
}

func (s *state) window(now time.Time) { s.phase, s.opened, s.fresh = timing, now, true }

func (s *state) sent(now time.Time) {
	if s.phase == warming && s.inFlight == 0 {
		s.since(now) // a load begins
	}
	s.inFlight++
}

func (s *state) ended(tokens int, ttft time.Duration, now time.Time) {
	s.inFlight--
	if s.fresh {
		s.since(s.opened)
		s.fresh = false
	}
	s.tokens += tokens
	s.last = now
	if ttft <= 0 {
		return
	}
	if len(s.ttfts) < recent {
		s.ttfts = append(s.ttfts, ttft)
	} else {
		s.ttfts[s.seen%recent] = ttft
	}
	s.seen++
}

func (s *state) end(void string, now time.Time) {
	if void == "" {
		s.took(s.name, now.Sub(s.began))
	} else {
		if s.void++; s.void == 1 {
			s.first = void
		}
	}
	s.phase = idle
}

// view is what there is to see at now; not ok if that is nothing.
func (s *state) view(now time.Time) (v view, ok bool) {
	if s.phase == idle || now.Sub(s.began) < period {
		return view{}, false
	}
	v = view{
		name: s.name, cell: s.index + 1, cells: len(s.plan.Cells), round: s.round, rounds: s.plan.Rounds,
		phase: s.phase, share: s.share(now), inFlight: s.inFlight, void: s.void, reason: s.first,
	}
	v.left, v.known = s.left(s.index, s.round, now.Sub(s.began))
	if d := s.last.Sub(s.from); d > 0 {
		v.rate = float64(s.tokens) / d.Seconds()
	}
	if n := len(s.ttfts); n > 0 {
		v.ttft = slices.Sorted(slices.Values(s.ttfts))[(n-1)/2]
	}
	return v, true
}

// share is how much of the window is over, 0 to 1.
func (s *state) share(now time.Time) float64 {
	switch {
	case s.phase != timing:
		return 0
	case s.plan.Time > 0:
		return min(1, now.Sub(s.opened).Seconds()/s.plan.Time.Seconds())
	case s.plan.Ops > 0:
		return min(1, float64(s.ops)/float64(s.plan.Ops))
	}
	return 0
}
