package vllmsim

import (
	"sync"
	"time"
)

// An engine runs steps one after another in a goroutine of its own.
//
// Its clock is absolute: a step begins when the one before was planned to end,
// not when the goroutine woke up, so late wake-ups do not add up. Only an idle
// engine starts from the present.
//
// With asynchronous scheduling, as vLLM has it on GPUs, a step is scheduled and
// prepared while the one before runs. The GPU then has no gaps, and whoever
// arrives during a step comes into the step after the next.
type engine struct {
	sched      *Scheduler
	steps      *stepTimer
	drift      drift
	gpu        *gpu
	metrics    *metrics
	sleepUntil func(time.Time)
	jobs       map[uint64]*job
	clock      time.Time // of the plan: until when the engine's CPU has worked
	depth      int       // steps in flight at a time
	inFlight   []launched
	paused     bool
	countWork  bool

	mu      sync.Mutex
	changed *sync.Cond
	inbox   []func() // to be done between steps
	aborts  []*job   // to be done before a step's tokens count
	closing bool
	stopped chan struct{}
}

// A launched is a step that the GPU runs, or will run next.
type launched struct {
	batch      Batch
	step       stepTime
	begin, end time.Time // of its kernels
}

// maxLag is how far the clock may fall behind before it gives up catching up:
// after a stopped process, a burst of steps would tell nothing.
const maxLag = 100 * time.Millisecond

func newEngine(s settings, m *metrics, sleepUntil func(time.Time)) *engine {
	e := &engine{
		sched: NewScheduler(s.Limits), steps: newStepTimer(s), gpu: newGPU(s, time.Now()), depth: 1,
		drift: drift{share: s.Drift, over: s.DriftOver}, metrics: m, sleepUntil: sleepUntil, jobs: make(map[uint64]*job), stopped: make(chan struct{}),
	}
	e.countWork = s.EnableMFUMetrics
	if !s.NoAsyncScheduling {
		e.depth = maxInFlight
	}
	e.changed = sync.NewCond(&e.mu)
	return e
}

// run makes steps until close. It schedules as long as a step may be in flight
// beside those that are, and else ends the first of these.
func (e *engine) run() {
	defer close(e.stopped)
	for e.betweenSteps() {
		if !e.paused && e.launch() && len(e.inFlight) < e.depth {
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

// launch schedules a step and gives it to the GPU. It returns false when there
// is none: all requests wait for their last token, or to be resumed.
func (e *engine) launch() bool {
	batch := e.sched.Schedule()
	e.begin(batch)
	if len(batch.Work) == 0 {
		return false
	}
	step := e.drift.slowed(e.steps.step(batch), e.clock)
	if e.countWork {
		e.metrics.worked(step.work, float64(batch.Tokens)*e.steps.model.KVBytesPerToken())
	}
	e.clock = e.clock.Add(step.overhead)
	l := launched{batch: batch, step: step, begin: e.clock}
	if n := len(e.inFlight); n == 0 {
		e.gpu.run(l.begin, step)
	} else if last := e.inFlight[n-1].end; l.begin.Before(last) {
		l.begin = last
	}
	l.end = l.begin.Add(step.kernels)
	e.inFlight = append(e.inFlight, l)
	return true
}

// finish waits for the earliest step in flight and hands out its tokens.
func (e *engine) finish() {
	if len(e.inFlight) == 0 {
		return
	}
	l := e.inFlight[0]
	e.inFlight = append(e.inFlight[:0], e.inFlight[1:]...)
	if l.end.After(e.clock) {
		e.clock = l.end
	}
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
