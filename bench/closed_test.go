package bench

import (
	"time"

	"vllmbench/client"
	"vllmbench/internal/load"
	"vllmbench/internal/measure"
)

// closed is a closed loop of so many streams; requests is how many it sends in all, 0 until it is stopped.
func (s *session) closed(streams, requests int, next func() client.Request) load.Closed {
	return load.Closed{
		Streams:   streams,
		Requests:  requests,
		Next:      next,
		Do:        s.generate,
		MaxErrors: flags.limits.MaxErrors(),
	}
}

// closedWindow is the window of a closed loop of c.Batch streams, an operation of
// which is c.Batch requests.
func (s *session) closedWindow(c measure.Cell, next func() client.Request, more func() bool) window {
	return s.loopWindow(s.closed(c.Batch, 0, next), c.Batch, more)
}

// loopWindow keeps a closed loop on from ramp to tail and times what lies between. The
// ramp is one operation, so that the window begins in the midst of the load; more says
// whether the window takes another operation, of so many requests.
func (s *session) loopWindow(loop load.Closed, requests int, more func() bool) window {
	return func(run *measure.Run, k *ledger) error {
		l := loop.Start(s.ctx)
		ramp, from, err := s.ramp(l, requests)
		end := s.begin(run)
		to := from
		for err == nil && more() {
			run.Ops++
			to, err = l.Await(ramp + requests*run.Ops)
			s.line.Op()
			s.drainIfLong()
		}
		end(from, to)
		if err == nil {
			defer k.tail(run.Window.Length() / time.Duration(2*run.Ops))() // in the midst of an operation
		}
		run.Streams = l.Stop()
		return err
	}
}

// ramp waits for the end of the first operation and returns how many requests
// had ended by then, and when. If this goroutine sees that end too late, it waits for
// the next one: the first timed operation would seem short, and b.Loop would
// ask for a hundred times as many as fit into -benchtime.
func (s *session) ramp(l *load.Loop, requests int) (n int, at time.Duration, err error) {
	const tries = 4
	for range tries {
		began := s.client.Now()
		if _, err = l.Await(n + requests); err != nil {
			return 0, 0, err
		}
		n, at = l.Done()
		if late := s.client.Now() - at; late < (at-began)/20 {
			break
		}
	}
	return n, at, nil
}
