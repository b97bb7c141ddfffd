package bench

import (
	"slices"
	"testing"
	"time"

	"vllmbench/client"
	"vllmbench/internal/load"
	"vllmbench/internal/measure"
)

// A pace is when the requests of an open loop are due.
type pace struct {
	due load.Schedule // in the window, since its begin

	// around draws the arrivals of a stretch before or behind the window, of the same
	// rate. Nil: the window is the whole load, which ends when all are served.
	around func(length time.Duration, seed uint64) (load.Schedule, error)

	length time.Duration // of the window, where around is set
	seed   uint64
}

// pace draws the pattern's arrivals. Where the rate is one, so many come in
// the window as it asks for, whatever comes before and behind.
func (a pattern) pace(seed uint64) (p pace, err error) {
	a.Seed = seed
	if p.due, err = a.Schedule(); err != nil {
		return pace{}, err
	}
	if len(a.Phases) == 1 && a.Phases[0].From == a.Phases[0].To {
		p.length, p.seed = a.Phases[0].For, seed
		p.around = func(length time.Duration, seed uint64) (load.Schedule, error) {
			around := a.Arrivals
			around.Seed = seed
			around.Phases = []load.Phase{{From: a.Phases[0].From, To: a.Phases[0].To, For: length}}
			if length.Seconds()*a.Phases[0].From < 0.5 {
				return nil, nil
			}
			return around.Schedule()
		}
	}
	return p, nil
}

// open measures one cell under an open loop.
func (s *session) open(b *testing.B, c measure.Cell, p pace, next func() client.Request) {
	var alone time.Duration
	pilot := func() (err error) {
		alone, err = s.alone(c)
		return err
	}
	s.run(b, c, pilot, func(run *measure.Run, k *ledger) (err error) {
		for err == nil && b.Loop() {
			if run.Ops == 0 { // the window is all operations
				err = s.openWindow(p, alone, next)(run, k)
			}
		}
		return err
	})
	b.ReportMetric(0, "ns/op") // it would be the window's length
}

// alone is the E2E of a request on the idle server.
func (s *session) alone(c measure.Cell) (time.Duration, error) {
	rs, err := s.pilot(c, 1, max(flags.warmup, 1), func() client.Request { return s.request(c) })
	if err != nil {
		return 0, err
	}
	return rs[len(rs)-1].E2E(), nil
}

const (
	// A load of one rate is steady after some requests' time under load, which
	// is a multiple of their time alone.
	rampRequests = 3
	rampShare    = 10 // the ramp is at least the window's length divided by this
)

// openWindow keeps an open loop on from ramp to tail, and times what lies
// between. Whatever is due in the window belongs to it, so the load goes on until
// all of that has ended. A window that is the whole load ends with its last token.
func (s *session) openWindow(p pace, alone time.Duration, next func() client.Request) window {
	return func(run *measure.Run, k *ledger) error {
		schedule, first, ramp, err := p.whole(alone)
		if err != nil {
			return err
		}
		run.Ops, run.Varies = len(p.due), p.around == nil
		l := load.Open{
			Schedule: schedule, InFlight: flags.inFlightMax, Epoch: s.client.Epoch(),
			Next: next, Do: s.generate, MaxErrors: flags.limits.MaxErrors(),
		}.Start(s.ctx)
		from := l.Began().Sub(s.client.Epoch()) + ramp
		err = l.Until(s.client.Epoch().Add(from))
		end := s.begin(run)
		to := from + p.length
		if err == nil && p.around != nil {
			err = l.Until(s.client.Epoch().Add(to))
		}
		if err == nil && p.around == nil {
			if err = l.Settled(len(schedule)); err == nil {
				_, to = l.Done()
			}
		}
		end(from, to)
		if err == nil && p.around != nil {
			read := k.tail(0)
			err = l.Settled(first + len(p.due))
			read()
		}
		run.Streams = l.Stop()
		return err
	}
}

// whole is the schedule from ramp to tail, in which the window's first request
// has the place first, and the ramp takes so long.
func (p pace) whole(alone time.Duration) (schedule load.Schedule, first int, ramp time.Duration, err error) {
	if p.around == nil {
		return p.due, 0, 0, nil
	}
	ramp = max(p.length/rampShare, rampRequests*alone)
	before, err := p.around(ramp, ^p.seed)
	if err != nil {
		return nil, 0, 0, err
	}
	behind, err := p.around(p.length, p.seed^1<<63)
	if err != nil {
		return nil, 0, 0, err
	}
	later := func(s load.Schedule, by time.Duration) load.Schedule {
		s = slices.Clone(s)
		for i := range s {
			s[i] += by
		}
		return s
	}
	return slices.Concat(before, later(p.due, ramp), later(behind, ramp+p.length)), len(before), ramp, nil
}
