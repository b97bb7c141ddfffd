package gpuprobe

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	defaultPeriod = time.Second
	// minPeriod keeps the reads off the driver's lock, and over the 100 ms that GPM needs between samples.
	minPeriod = 200 * time.Millisecond
	// processEvery spaces reads of the process list, by far the dearest call (4.5 ms on an RTX 4090 laptop).
	processEvery = 10 * time.Second
	// KeptSamples is how many samples a Probe keeps, over an hour at 1 Hz: a longer
	// window lacks its first ones, and who wants all of them asks in time.
	KeptSamples = 4096
)

// A Probe watches GPUs. Its methods may be called by any goroutine.
type Probe struct {
	src source
	gpu []Device

	start, stop sync.Once
	marks       chan chan struct{}
	quit        chan struct{}
	done        chan struct{} // closed when the sampler has ended
	period      time.Duration // set by start

	good State // while all is well

	mu       sync.Mutex
	state    State
	ring     ring
	running  bool
	idle     []Value // W, by GPU
	expected map[int]bool
}

func newProbe(src source, s State) *Probe {
	return &Probe{
		src: src, gpu: src.devices(), good: s, state: s, ring: newRing(KeptSamples, len(src.devices())),
		marks: make(chan chan struct{}), quit: make(chan struct{}), done: make(chan struct{}),
	}
}

// State returns how the Probe stands; it changes when a GPU is lost or a source falls silent or returns.
func (p *Probe) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

// Devices returns the GPUs; none if there are none. The caller must not change them.
func (p *Probe) Devices() []Device { return p.gpu }

// Start begins to read every period: 1 s if 0, at least 0.2 s. The first read
// is done when Start returns. Only the first call counts, and none without GPUs.
func (p *Probe) Start(period time.Duration) {
	p.start.Do(func() {
		if len(p.gpu) == 0 {
			close(p.done)
			return
		}
		if period <= 0 {
			period = defaultPeriod
		}
		p.mu.Lock()
		p.period, p.running = max(period, minPeriod), true
		p.mu.Unlock()
		go p.sample()
		p.Mark()
	})
}

// Mark reads at once, besides the period, and returns when the read is done.
// A window that begins after a Mark needs no interpolation at that end; its own
// end is marked by Window. Without a sampler Mark does nothing.
func (p *Probe) Mark() {
	p.mu.Lock()
	running := p.running
	p.mu.Unlock()
	if !running {
		return
	}
	read := make(chan struct{})
	select {
	case p.marks <- read:
		<-read
	case <-p.done:
	}
}

// Expect names processes that may use the GPUs, and with them their children
// (on Linux). Before the first call no process is foreign, but two on one GPU
// are a Trouble, since an engine has one process a GPU.
func (p *Probe) Expect(pids ...int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.expected == nil {
		p.expected = map[int]bool{}
	}
	for _, pid := range pids {
		p.expected[pid] = true
	}
}

// Idle watches the GPUs for d and keeps their mean power as the idle power that
// EnergyNet subtracts. It returns the sum in W, and fails if a GPU worked
// meanwhile, tells no power, or ctx ended. The sampler must have been started.
func (p *Probe) Idle(ctx context.Context, d time.Duration) (watts float64, err error) {
	p.Mark()
	from := time.Now()
	select {
	case <-ctx.Done():
		return 0, fmt.Errorf("idle power was not measured: %w", context.Cause(ctx))
	case <-time.After(d):
	}
	u := p.Window(from, time.Now())
	switch {
	case !u.Power.Known:
		return 0, errors.New("idle power was not measured: the GPU tells no power")
	case !u.Busy.Known || u.Busy.N >= idleBelow:
		return 0, fmt.Errorf("idle power was not measured: the GPU was %.0f %% busy; let it rest before the run", 100*u.Busy.N)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = nil
	for _, g := range u.GPUs {
		p.idle = append(p.idle, g.Power)
	}
	return u.Power.N, nil
}

// Samples returns copies of the samples from and to, both included, oldest first.
func (p *Probe) Samples(from, to time.Time) []Sample {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ring.between(from, to)
}

// Close ends the sampler and the source. The samples stay; a second call does nothing.
func (p *Probe) Close() (err error) {
	p.stop.Do(func() {
		close(p.quit)
		p.start.Do(func() { close(p.done) })
		<-p.done
		if err = p.src.close(); err != nil {
			err = fmt.Errorf("GPU source does not close: %w", err)
		}
	})
	return err
}
