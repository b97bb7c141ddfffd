package monitor

import (
	"context"
	"time"

	"vllmbench/gpuprobe"
	"vllmbench/internal/engine"
)

// A server answers for its counters, as *engine.Client does.
type server interface {
	Snapshot(ctx context.Context, model string) (*engine.Snapshot, error)
}

// A prober has samples of GPUs, as *gpuprobe.Probe does once it is started.
type prober interface {
	Devices() []gpuprobe.Device
	State() gpuprobe.State
	Samples(from, to time.Time) []gpuprobe.Sample
	Window(from, to time.Time) gpuprobe.Usage
}

// A poller makes Ticks. A server that is slow holds up neither the rounds nor
// the GPU's figures: its answer goes into the round in which it comes.
type poller struct {
	server   server // nil: none
	gpu      prober // nil: none
	interval time.Duration

	pending chan Tick // the answer waited for, nil if none is
	last    time.Time // sample at the end of the last window; zero before the first
	first   time.Time // sample from which on there was none missing
}

// run calls each for every round until ctx ends. Rounds come at whole
// intervals since the start, a quarter late, so that the sampler, which began just before, has read.
func (p *poller) run(ctx context.Context, each func(Tick)) {
	start := time.Now().Add(p.interval / 4)
	timer := time.NewTimer(p.interval / 4)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		t := p.round(ctx)
		if ctx.Err() != nil {
			return
		}
		each(t)
		past := time.Since(start)
		timer.Reset(past.Truncate(p.interval) + p.interval - past)
	}
}

// round reads once, and waits for the server up to half an interval.
func (p *poller) round(ctx context.Context) Tick {
	t := Tick{At: time.Now()}
	if p.server != nil {
		if p.pending == nil {
			answer := make(chan Tick, 1)
			p.pending = answer
			go func() {
				s, err := p.server.Snapshot(ctx, "")
				answer <- Tick{Server: s, Err: err}
			}()
		}
		select {
		case a := <-p.pending:
			t.Server, t.Err, p.pending = a.Server, a.Err, nil
		case <-time.After(p.interval / 2):
		case <-ctx.Done():
		}
	}
	if p.gpu != nil {
		t.GPU, t.GPUs = p.window(t.At), p.gpu.State()
	}
	return t
}

// outage is how many intervals without a sample are no window any more: what
// the GPUs did meanwhile is not known well enough to be called idle or busy.
const outage = 3

// window returns what the GPUs did since the last one, up to their newest
// sample: asking for more would make the probe read once more. Gaps look back
// three intervals, since a gap's ends are placed by the reads around it.
func (p *poller) window(now time.Time) *gpuprobe.Usage {
	samples := p.gpu.Samples(now.Add(-8*p.interval), now)
	if len(samples) == 0 {
		return nil
	}
	from, newest := p.last, samples[len(samples)-1].At
	p.last = newest
	if from.IsZero() || newest.Sub(from) > outage*p.interval {
		p.first = newest
		return nil
	}
	if !newest.After(from) {
		return nil
	}
	u := p.gpu.Window(from, newest)
	back := from.Add(-3 * p.interval)
	if back.Before(p.first) {
		back = p.first
	}
	u.Gaps = p.gpu.Window(back, newest).Gaps
	return &u
}
