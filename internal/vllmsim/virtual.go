package vllmsim

import "time"

// A Virtual is a server on a clock of its own. It plans when the server would
// do what, to the nanosecond, and waits for nothing.
type Virtual struct {
	pipeline
	latency time.Duration
	door    door
	inside  []passing // the door
	queue   []passing // through it, in order
}

// A passing is a request on its way to the engine.
type passing struct {
	*Request
	*visit
	queued time.Time // with the engine
}

// NewVirtual returns a server without requests. The error is New's: why the
// configuration cannot work.
func NewVirtual(c Config) (*Virtual, error) {
	s, err := c.resolve()
	if err != nil {
		return nil, err
	}
	return newVirtual(s), nil
}

func newVirtual(s settings) *Virtual {
	return &Virtual{pipeline: newPipeline(s), latency: s.Timing.Latency, door: door{each: s.Timing.Request}}
}

// Send sends a request, no earlier than the one before nor than the last Step
// began.
func (v *Virtual) Send(r *Request, at time.Time) {
	v.inside = append(v.inside, passing{Request: r, visit: v.door.enter(at)})
}

// Next is when the next Step begins, if nothing is sent before, and whether
// there is anything to do.
func (v *Virtual) Next() (time.Time, bool) {
	var at time.Time
	switch {
	case len(v.inFlight) > 0 || !v.sched.Idle():
		return v.clock, true
	case len(v.queue) > 0:
		at = v.queue[0].queued
	case len(v.inside) > 0:
		if at = v.inside[0].through; at.IsZero() {
			at = v.door.expected(v.inside[0].visit)
		}
		at = at.Add(v.latency)
	default:
		return at, false
	}
	if at.Before(v.clock) {
		at = v.clock
	}
	return at, true
}

// Step does what the engine does between two looks at its inbox, from Next on.
// Whatever is sent until Next must have been. It returns the tokens that it
// generated, which are valid until the next Step, and when they were.
func (v *Virtual) Step() ([]Output, time.Time) {
	at, ok := v.Next()
	if !ok {
		return nil, v.clock
	}
	v.clock = at
	v.receive(at)
	for len(v.queue) > 0 && !v.queue[0].queued.After(at) {
		v.sched.Add(v.queue[0].Request)
		v.queue = v.queue[1:]
	}
	if v.launch(v.sched.Schedule()) && !v.full() || len(v.inFlight) == 0 {
		return nil, v.clock
	}
	return v.sched.Finish(v.land().batch), v.clock
}

// receive lets the API server work until then.
func (v *Virtual) receive(by time.Time) {
	v.door.advance(by)
	for len(v.inside) > 0 && !v.inside[0].through.IsZero() {
		p := v.inside[0]
		v.inside = v.inside[1:]
		p.queued = p.through.Add(v.latency)
		v.queue = append(v.queue, p)
	}
}
