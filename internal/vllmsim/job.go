package vllmsim

import (
	"sync/atomic"
	"time"
)

// A job is a request with the instants that its metrics need.
type job struct {
	*Request
	arrived   time.Time // at the API, after parsing
	queued    time.Time // in the scheduler's queue
	scheduled time.Time // first admission
	first     time.Time // first token
	last      time.Time // newest token

	left     bool          // the client has gone
	counted  int           // of Preemptions: those in the metrics
	produced atomic.Int64  // tokens that may be sent
	due      atomic.Int64  // planned instant of the newest of them, Unix ns
	wake     chan struct{} // has room for one signal: produced has grown
}

func newJob(r *Request) *job {
	return &job{Request: r, arrived: time.Now(), wake: make(chan struct{}, 1)}
}

// begin accounts for what a step starts with.
func (e *engine) begin(b Batch) {
	for _, r := range b.Admitted {
		if j := e.jobs[r.ID]; j.scheduled.IsZero() {
			j.scheduled = e.clock
			if j.scheduled.Before(j.queued) { // it arrived while a late step was ending
				j.scheduled = j.queued
			}
			e.metrics.admitted(j, e.sched.limits.PrefixCaching)
		}
	}
	e.metrics.queues(e.sched)
}

// end accounts for all of a step's tokens before any of them may be sent, so
// that nobody who has read a stream finds less in the metrics.
func (e *engine) end(b Batch) {
	outputs := e.sched.Finish(b)
	tokens := len(outputs)
	for _, out := range outputs {
		j := e.jobs[out.Request.ID]
		e.metrics.token(j, e.clock, out.First)
		if out.First {
			j.first = e.clock
			tokens += len(j.Prompt) - j.Cached
		}
		j.last = e.clock
		if out.Done {
			e.metrics.finished(j)
		}
	}
	if tokens > 0 {
		e.metrics.iterationTokens.Observe(float64(tokens))
	}
	e.metrics.queues(e.sched)
	for _, out := range outputs {
		j := e.jobs[out.Request.ID]
		j.due.Store(e.clock.UnixNano())
		j.produced.Add(1)
		select {
		case j.wake <- struct{}{}:
		default:
		}
		if out.Done {
			delete(e.jobs, j.ID)
		}
	}
}
