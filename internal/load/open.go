package load

import (
	"context"
	"fmt"
	"time"

	"vllmbench/client"
)

// Open is an open loop: each request is sent at its scheduled instant, however
// many are in flight. A loop that fell behind sends at once what is due.
//
// Results are one stream, in the schedule's order. Each has the scheduled
// instant as Intended, on the client's clock, so Sent-Intended is how late it
// was sent, and latencies count from Intended.
type Open struct {
	// Schedule says when, since Start.
	Schedule Schedule

	// InFlight is a safety cap on requests in flight, at least 1. It is no
	// queue: an arrival beyond it is a failure, whose result has Intended, the
	// outcome client.Dropped and an Error, nothing else.
	InFlight int

	// Epoch is the instant that the times of results count from: Client.Epoch.
	Epoch time.Time

	// Next makes the next request. It is called from one goroutine, before
	// the request is due, and so once more than requests are sent.
	Next func() client.Request

	// Do sends one.
	Do func(context.Context, client.Request) client.Result

	// MaxErrors is the number of requests that may fail or be dropped. One more stops the loop.
	MaxErrors int
}

// Start begins to count the schedule's time.
func (o Open) Start(ctx context.Context) *Loop {
	l := newLoop(ctx, 1, len(o.Schedule), o.MaxErrors)
	l.began = time.Now()
	l.send(func() { o.dispatch(l) })
	return l
}

// dispatch sends until the schedule's end. It never waits for an answer.
func (o Open) dispatch(l *Loop) {
	w := newWaiter()
	defer w.close()
	req := o.Next()
	for _, at := range o.Schedule {
		due := l.began.Add(at)
		if !w.until(due, l.quit, l.ctx.Done()) || !l.more() {
			return
		}
		intended := due.Sub(o.Epoch)
		i, ok := l.admit(intended, o.InFlight)
		if !ok {
			continue
		}
		r := req
		r.Intended = intended
		l.send(func() { l.settle(i, intended, o.Do(l.ctx, r)) })
		req = o.Next()
	}
}

// admit makes a place for the result of the next arrival, or drops it if as many
// requests as allowed are in flight.
func (l *Loop) admit(intended time.Duration, most int) (place int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := client.Result{Intended: intended, Scheduled: true}
	if l.running-1 >= most { // one is dispatch
		r.Outcome, r.Error = client.Dropped, fmt.Sprintf("%d requests were in flight, which is the cap", most)
		l.count(r)
		ok = false
	} else {
		ok = true
	}
	l.results[0] = append(l.results[0], r)
	return len(l.results[0]) - 1, ok
}

// settle fills the place that admit made.
func (l *Loop) settle(place int, intended time.Duration, r client.Result) {
	r.Intended, r.Scheduled = intended, true // also where a client took 0 for "not set"
	l.mu.Lock()
	defer l.mu.Unlock()
	l.results[0][place] = r
	l.count(r)
}
