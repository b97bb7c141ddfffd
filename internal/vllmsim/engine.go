package vllmsim

import (
	"sync"
	"time"
)

// An engine runs the steps of a pipeline in a goroutine of its own.
//
// The clock is the plan's: a step begins when the one before was planned to end,
// not when the goroutine woke up, so late wake-ups do not add up. Only an idle
// engine starts from the present.
type engine struct {
	pipeline
	gpu        *gpu
	metrics    *metrics
	sleepUntil func(time.Time)
	jobs       map[uint64]*job
	paused     bool
	countWork  bool

	mu      sync.Mutex
	changed *sync.Cond
	inbox   []func() // to be done between steps
	aborts  []*job   // to be done before a step's tokens count
	closing bool
	stopped chan struct{}
}

// maxLag is how far the clock may fall behind before it gives up catching up:
// after a stopped process, a burst of steps would tell nothing.
const maxLag = 100 * time.Millisecond

func newEngine(s settings, m *metrics, sleepUntil func(time.Time)) *engine {
	e := &engine{
		pipeline: newPipeline(s), gpu: newGPU(s, time.Now()), metrics: m, sleepUntil: sleepUntil,
		jobs: make(map[uint64]*job), countWork: s.EnableMFUMetrics, stopped: make(chan struct{}),
	}
	e.changed = sync.NewCond(&e.mu)
	return e
}

// run makes steps until close. It schedules as long as a step may be in flight
// beside those that are, and else ends the first of these.
func (e *engine) run() {
	defer close(e.stopped)
	for e.betweenSteps() {
		if !e.paused && e.schedule() && !e.full() {
			e.sleepUntil(e.clock)
			continue
		}
		e.finish()
	}
}

// betweenSteps takes in what has arrived, waiting for it if there is nothing
// else to do. It returns false when the engine is to stop.
func (e *engine) betweenSteps() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	idle := false
	for {
		e.takeAborts()
		for _, do := range e.inbox {
			do()
		}
		e.inbox = e.inbox[:0]
		if e.closing || len(e.inFlight) > 0 || !e.paused && !e.sched.Idle() {
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

// schedule launches the next step, and reports whether there is one.
func (e *engine) schedule() bool {
	batch := e.sched.Schedule()
	e.begin(batch)
	if !e.launch(batch) {
		return false
	}
	l := e.inFlight[len(e.inFlight)-1]
	if e.countWork {
		e.metrics.worked(l.step.work, float64(batch.Tokens)*e.steps.model.KVBytesPerToken())
	}
	if len(e.inFlight) == 1 {
		e.gpu.run(l.begin, l.step)
	}
	return true
}

// finish waits for the earliest step in flight and hands out its tokens.
func (e *engine) finish() {
	if len(e.inFlight) == 0 {
		return
	}
	l := e.land()
	e.sleepUntil(e.clock)
	e.mu.Lock()
	e.takeAborts()
	e.mu.Unlock()
	e.end(l.batch)
	if len(e.inFlight) > 0 {
		e.gpu.run(e.inFlight[0].begin, e.inFlight[0].step)
	}
}

// takeAborts ends the jobs whose clients have gone. The caller holds e.mu.
func (e *engine) takeAborts() {
	for _, j := range e.aborts {
		j.left = true
		if e.sched.Abort(j.ID) {
			delete(e.jobs, j.ID)
		}
	}
	e.aborts = e.aborts[:0]
}

// submit queues j for the next step.
func (e *engine) submit(j *job) {
	e.between(func() {
		if j.left {
			return
		}
		if j.queued = e.clock; j.queued.Before(j.arrived) {
			j.queued = j.arrived
		}
		e.jobs[j.ID] = j
		e.sched.Add(j.Request)
	})
}

// abort ends j, whose client has gone, before the tokens of the step in
// progress count. As in vLLM, no metric counts it.
func (e *engine) abort(j *job) {
	e.mu.Lock()
	e.aborts = append(e.aborts, j)
	e.mu.Unlock()
	e.changed.Signal()
}

// resetPrefixCache reports whether the cache was emptied, which it is not
// while requests run.
func (e *engine) resetPrefixCache() bool {
	ok := false
	return e.await(func() { ok = e.sched.ResetPrefixCache() }) && ok
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
