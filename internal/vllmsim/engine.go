package vllmsim

import (
	"sync"
	"sync/atomic"
	"time"
)

// A job is a request with the instants that its metrics need.
type job struct {
	*Request
	arrived   time.Time // at the API, after parsing
	scheduled time.Time // first admission
	first     time.Time // first token
	last      time.Time // newest token

	produced atomic.Int64  // tokens that may be sent
	wake     chan struct{} // has room for one signal: produced has grown
}

func newJob(r *Request) *job {
	return &job{Request: r, arrived: time.Now(), wake: make(chan struct{}, 1)}
}

// An engine runs steps one after another in a goroutine of its own.
//
// Its clock is absolute: a step begins when the one before was planned to end,
// not when the goroutine woke up, so late wake-ups do not add up. Only an idle
// engine starts from the present.
type engine struct {
	sched      *Scheduler
	steps      *stepTimer
	drift      drift
	gpu        *gpu
	metrics    *metrics
	sleepUntil func(time.Time)
	jobs       map[uint64]*job
	clock      time.Time // end of the planned step

	mu      sync.Mutex
	changed *sync.Cond
	inbox   []func() // to be done between steps
	closing bool
	stopped chan struct{}
}

// maxLag is how far the clock may fall behind before it gives up catching up:
// after a stopped process, a burst of steps would tell nothing.
const maxLag = 100 * time.Millisecond

func newEngine(s settings, m *metrics, sleepUntil func(time.Time)) *engine {
	e := &engine{
		sched: NewScheduler(s.Limits), steps: newStepTimer(s.model, s.gpu), gpu: newGPU(s, time.Now()),
		drift: drift{share: s.Drift, over: s.DriftOver}, metrics: m, sleepUntil: sleepUntil, jobs: make(map[uint64]*job), stopped: make(chan struct{}),
	}
	e.changed = sync.NewCond(&e.mu)
	return e
}

// run makes steps until close.
func (e *engine) run() {
	defer close(e.stopped)
	for e.betweenSteps() {
		batch := e.sched.Schedule()
		e.begin(batch)
		step := e.drift.slowed(e.steps.step(batch), e.clock)
		e.gpu.run(e.clock.Add(stepOverhead), step)
		e.clock = e.clock.Add(step.duration())
		e.sleepUntil(e.clock)
		e.end(batch)
	}
}

// betweenSteps takes in what has arrived, waiting for it if there is nothing
// else to do. It returns false when the engine is to stop.
func (e *engine) betweenSteps() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	idle := false
	for {
		for _, do := range e.inbox {
			do()
		}
		e.inbox = e.inbox[:0]
		if e.closing || !e.sched.Idle() {
			break
		}
		idle = true
		e.metrics.queues(e.sched)
		e.changed.Wait()
	}
	if now := time.Now(); idle || now.Sub(e.clock) > maxLag {
		e.clock = now
	}
	return !e.closing
}

// begin accounts for what a step starts with.
func (e *engine) begin(b Batch) {
	for _, r := range b.Admitted {
		if j := e.jobs[r.ID]; j.scheduled.IsZero() {
			j.scheduled = e.clock
			if j.scheduled.Before(j.arrived) { // it arrived while a late step was ending
				j.scheduled = j.arrived
			}
			e.metrics.admitted(j, e.sched.limits.PrefixCaching)
		}
	}
	e.metrics.preemptions.Add(float64(len(b.Preempted)))
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
			tokens += len(j.Prompt)
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

// submit queues j for the next step.
func (e *engine) submit(j *job) {
	e.between(func() {
		e.jobs[j.ID] = j
		e.sched.Add(j.Request)
	})
}

// abort ends j, whose client has gone, before the next step.
func (e *engine) abort(j *job) {
	e.between(func() {
		if e.sched.Abort(j.ID) {
			delete(e.jobs, j.ID)
			e.metrics.aborted()
		}
	})
}

// resetPrefixCache reports whether the cache was emptied, which it is not
// while requests run.
func (e *engine) resetPrefixCache() bool {
	done := make(chan bool, 1)
	e.between(func() { done <- e.sched.ResetPrefixCache() })
	select {
	case ok := <-done:
		return ok
	case <-e.stopped:
		return false
	}
}

// between runs do in the engine's goroutine, between two steps.
func (e *engine) between(do func()) {
	e.mu.Lock()
	e.inbox = append(e.inbox, do)
	e.mu.Unlock()
	e.changed.Signal()
}

// close stops the engine after the step in progress, and waits for it.
func (e *engine) close() {
	e.mu.Lock()
	e.closing = true
	e.mu.Unlock()
	e.changed.Signal()
	<-e.stopped
}
