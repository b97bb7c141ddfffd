package vllmsim

import (
	"sync"
	"time"

	"vllmbench/internal/roofline"
)

// gpuInterval is the least time over which a reading averages, about a decode
// step: over less, two readers that come together would see no more than chance.
const gpuInterval = 10 * time.Millisecond

// A gpu is the simulated device, or one of several that do the same. It accounts for the kernels of each step as
// they were planned: evenly over the time between the step's overhead and its
// end, and not at all between steps, when it is idle.
type gpu struct {
	spec   roofline.GPU
	memory float64 // in use, bytes: weights, KV blocks and activations, as vLLM reserves them

	mu      sync.Mutex
	started time.Time
	past    gpuWork // of all steps but the newest
	newest  gpuStep

	shownAt time.Time // end of the interval that shown averages over
	shownTo gpuWork   // since the start, at that instant
	shown   gpuMeans
}

// A gpuStep is the kernels of one step, in progress or done.
type gpuStep struct {
	start  time.Time
	length time.Duration
	work   gpuWork
}

// gpuMeans are averages over an interval.
type gpuMeans struct {
	busy, sm, tensor, dram float64 // shares, in [0, 1]
	watts                  float64
}

// A gpuReading is what the device's page shows.
type gpuReading struct {
	gpuWork         // since the start
	energy  float64 // since the start, idle power included, joules
	gpuMeans
}

func newGPU(s settings, now time.Time) *gpu {
	g := &gpu{spec: s.gpu, started: now, shownAt: now}
	g.memory = s.weightBytes() + activationReserve + float64(s.Limits.NumBlocks)*s.blockBytes()
	g.shown.watts = g.idleWatts()
	return g
}

// run adds the kernels of a step that begin at start. Those of the step before
// have ended by then.
func (g *gpu) run(start time.Time, s stepTime) {
	work := kernelWork(g.spec, s)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.past = g.past.plus(1, g.newest.work)
	g.newest = gpuStep{start, s.kernels, work}
}

// read returns the state at now. Totals are exact at that instant. Means are
// over the time since the reading before, whoever made it, so that one reader's
// means, weighted with the time between its readings, are those of any longer
// window. Within gpuInterval of the last ones they stay as they are.
func (g *gpu) read(now time.Time) gpuReading {
	g.mu.Lock()
	defer g.mu.Unlock()
	total := g.past.plus(g.newest.doneBy(now), g.newest.work)
	if d := now.Sub(g.shownAt); d >= gpuInterval {
		g.shown = g.means(total.plus(-1, g.shownTo), d.Seconds())
		g.shownAt, g.shownTo = now, total
	}
	return gpuReading{
		gpuWork: total, gpuMeans: g.shown,
		energy: g.idleWatts()*now.Sub(g.started).Seconds() + total.joules,
	}
}

// doneBy returns the share of the step's kernels that have run by now.
func (s gpuStep) doneBy(now time.Time) float64 {
	if s.length == 0 {
		return 1
	}
	return min(1, max(0, now.Sub(s.start).Seconds()/s.length.Seconds()))
}

// means averages work over that many seconds. After a late wake-up the engine
// catches up with its plan, which can make more work than time; a device cannot
// show that, so the excess is cut off here and stays in the totals.
func (g *gpu) means(w gpuWork, seconds float64) gpuMeans {
	share := func(of float64) float64 { return min(1, of/seconds) }
	return gpuMeans{
		busy: share(w.busy), sm: share(w.sm), tensor: share(w.tensor),
		dram:  share(w.bytes / g.spec.Bandwidth),
		watts: min(g.spec.PowerLimit, g.idleWatts()+w.joules/seconds),
	}
}
