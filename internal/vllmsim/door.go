package vllmsim

import (
	"sync"
	"time"
)

// A door is the API server's work on requests before the engine has them:
// parsing, checks, tokens. All that are inside share its one CPU evenly, as
// coroutines of one Python process do, so requests that come together come
// through together.
//
// It works on times that it is given, each no earlier than the one before.
type door struct {
	each   time.Duration // CPU time of a request
	at     time.Time     // until when it has worked
	worked float64       // CPU time, ns, that a request had that was inside all the time
	inside []*visit      // in the order of coming, which is that of going
}

// A visit is one request's.
type visit struct {
	until   float64   // ends when the door has worked that much
	through time.Time // when it ended; zero before
}

// enter lets a request in.
func (d *door) enter(at time.Time) *visit {
	d.advance(at)
	v := &visit{until: d.worked + float64(d.each)}
	d.inside = append(d.inside, v)
	return v
}

// advance works until that time.
func (d *door) advance(to time.Time) {
	for len(d.inside) > 0 {
		out := d.out(d.at, d.worked, 0)
		if out.After(to) {
			d.worked += float64(to.Sub(d.at)) / float64(len(d.inside))
			break
		}
		first := d.inside[0]
		first.through, d.at, d.worked = out, out, first.until
		d.inside = d.inside[1:]
	}
	d.at = to
}

// out is when the i-th inside leaves, if by at the door has worked that much
// and all before it have left.
func (d *door) out(at time.Time, worked float64, i int) time.Time {
	return at.Add(time.Duration((d.inside[i].until - worked) * float64(len(d.inside)-i)))
}

// expected is when v, which is inside, leaves if nobody else comes.
func (d *door) expected(v *visit) time.Time {
	at, worked := d.at, d.worked
	for i, w := range d.inside {
		at, worked = d.out(at, worked, i), w.until
		if w == v {
			break
		}
	}
	return at
}

// A frontDoor is a door that is passed in real time, by many goroutines.
type frontDoor struct {
	mu sync.Mutex
	door
	latency time.Duration // behind the door, for each request by itself
}

// pass returns when a request that comes now is with the engine.
func (f *frontDoor) pass() {
	if f.each > 0 {
		f.mu.Lock()
		v := f.enter(time.Now())
		for f.advance(time.Now()); v.through.IsZero(); f.advance(time.Now()) {
			wait := time.Until(f.expected(v))
			f.mu.Unlock()
			time.Sleep(max(wait, time.Microsecond)) // who comes meanwhile makes it longer, never shorter
			f.mu.Lock()
		}
		f.mu.Unlock()
	}
	if f.latency > 0 {
		time.Sleep(f.latency)
	}
}
