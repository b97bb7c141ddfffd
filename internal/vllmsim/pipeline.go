package vllmsim

import "time"

// A pipeline plans steps one after another on an absolute clock: it decides
// when they begin and end, and waits for nothing.
//
// With asynchronous scheduling, as vLLM has it on GPUs, a step is scheduled and
// prepared while the one before runs. The GPU then has no gaps, and whoever
// arrives during a step comes into the step after the next.
type pipeline struct {
	sched    *Scheduler
	steps    *stepTimer
	drift    drift
	clock    time.Time // until when the engine's CPU has worked
	depth    int       // steps in flight at a time
	inFlight []launched
}

// A launched is a step that the GPU runs, or will run next.
type launched struct {
	batch      Batch
	step       stepTime
	begin, end time.Time // of its kernels
}

func newPipeline(s settings) pipeline {
	p := pipeline{
		sched: NewScheduler(s.Limits), steps: newStepTimer(s), depth: maxInFlight,
		drift: drift{share: s.Drift, over: s.DriftOver},
	}
	if s.NoAsyncScheduling {
		p.depth = 1
	}
	return p
}

// launch gives a batch to the GPU. It returns false when there is nothing in
// it: all requests wait for their last token, or to be resumed.
func (p *pipeline) launch(batch Batch) bool {
	if len(batch.Work) == 0 {
		return false
	}
	step := p.drift.slowed(p.steps.step(batch), p.clock)
	p.clock = p.clock.Add(step.overhead)
	l := launched{batch: batch, step: step, begin: p.clock}
	if n := len(p.inFlight); n > 0 && l.begin.Before(p.inFlight[n-1].end) {
		l.begin = p.inFlight[n-1].end
	}
	l.end = l.begin.Add(step.kernels)
	p.inFlight = append(p.inFlight, l)
	return true
}

// full reports whether no other step may be in flight.
func (p *pipeline) full() bool { return len(p.inFlight) >= p.depth }

// land ends the earliest step in flight, of which there is one.
func (p *pipeline) land() launched {
	l := p.inFlight[0]
	p.inFlight = append(p.inFlight[:0], p.inFlight[1:]...)
	if l.end.After(p.clock) {
		p.clock = l.end
	}
	return l
}
