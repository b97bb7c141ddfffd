package gpuprobe

import (
	"slices"
	"time"
)

// Window returns what the GPUs did from one instant to another. If the sampler
// has not read since to, Window reads first, which takes milliseconds. Without
// GPUs nothing is known, and there is no Trouble either.
func (p *Probe) Window(from, to time.Time) Usage {
	u := Usage{From: from, To: to}
	if len(p.gpu) == 0 {
		return u
	}
	p.mu.Lock()
	last := p.ring.last()
	stale := last == nil || last.At.Before(to)
	p.mu.Unlock()
	if stale {
		p.Mark()
	}
	p.mu.Lock()
	samples, period, idle, expected := p.ring.around(from, to), p.period, p.idle, p.expected
	p.mu.Unlock()

	w := newWindow(samples, from, to)
	for i := range p.gpu {
		f := w.figures(i)
		if i < len(idle) && f.Energy.Known && idle[i].Known {
			f.EnergyNet = known(f.Energy.N - idle[i].N*to.Sub(from).Seconds())
		}
		u.GPUs = append(u.GPUs, f)
	}
	u.Figures = together(u.GPUs)
	u.Processes = w.processes(expected)
	u.Samples, u.Missing = w.count(period)
	u.Trouble = w.trouble(u, p.gpu, period, expected != nil)
	return u
}

// A window is the samples around two instants.
type window struct {
	all      []Sample // with one more on each side of near
	near     []Sample // the samples inside and the nearest outside
	from, to time.Time
}

func newWindow(all []Sample, from, to time.Time) window {
	i, _ := slices.BinarySearchFunc(all, from.Add(1), compareAt)
	j, _ := slices.BinarySearchFunc(all, to, compareAt)
	i = max(i-1, 0)
	return window{all: all, near: all[i:max(i, min(j+1, len(all)))], from: from, to: to}
}

func compareAt(s Sample, t time.Time) int { return s.At.Compare(t) }

func (w window) seconds() float64 { return w.to.Sub(w.from).Seconds() }

// count returns the reads inside the window and those that are missing: one
// for each period without a read.
func (w window) count(period time.Duration) (inside, missing int) {
	if period <= 0 {
		return 0, 0
	}
	lost := func(from, to time.Time) {
		missing += max(0, int(to.Sub(from).Round(period)/period)-1)
	}
	at := w.from
	for k, s := range w.near {
		if !s.At.Before(w.from) && !s.At.After(w.to) {
			inside++
		}
		if k > 0 || s.At.After(at) {
			lost(at, s.At)
		}
		at = s.At
	}
	if at.Before(w.to) {
		lost(at, w.to.Add(period))
	}
	return inside, missing
}

func (w window) figures(gpu int) Figures {
	v := view{w, gpu}
	f := Figures{
		Utilization:     v.share(func(r *Reading) Value { return r.Utilization }, v.sinceSample),
		UtilizationPeak: v.peak(func(r *Reading) Value { return r.Utilization }),
		Memory:          v.peak(func(r *Reading) Value { return r.Memory }),
		SM:              v.share(func(r *Reading) Value { return r.SM }, v.sinceReading),
		DRAM:            v.share(func(r *Reading) Value { return r.DRAM }, v.sinceReading),
		Tensor:          v.share(func(r *Reading) Value { return r.Tensor }, v.sinceReading),
		PCIeTX:          v.share(func(r *Reading) Value { return r.PCIeTX }, v.sinceReading),
		PCIeRX:          v.share(func(r *Reading) Value { return r.PCIeRX }, v.sinceReading),
		Power:           v.mean(power),
		PowerPeak:       v.peak(power),
		SMClock:         v.mean(func(r *Reading) Value { return r.SMClock }),
		SMClockMin:      v.lowest(func(r *Reading) Value { return r.SMClock }),
		MemoryClock:     v.mean(func(r *Reading) Value { return r.MemoryClock }),
		Temperature:     v.peak(func(r *Reading) Value { return r.Temperature }),
		ECC:             v.events(func(r *Reading) Value { return r.ECC }),
		Xids:            v.events(func(r *Reading) Value { return r.Xids }),
	}
	f.Busy = v.share(func(r *Reading) Value { return r.Graphics }, v.sinceReading)
	if !f.Busy.Known {
		f.Busy = f.Utilization
	}
	f.Energy, f.EnergyError = v.energy()
	if f.Energy.Known {
		f.Power = known(f.Energy.N / w.seconds())
	}
	for r := range Reasons {
		f.Throttle[r] = v.throttled(r)
	}
	f.Gaps, f.GapsKnown = v.gaps()
	return f
}

func power(r *Reading) Value { return r.Power }

// together joins the figures of all GPUs as Usage says.
func together(gpus []Figures) Figures {
	all := gpus[0]
	for i, g := range gpus[1:] {
		n := float64(i + 1)
		for _, v := range []struct{ all, one *Value }{
			{&all.Memory, &g.Memory}, {&all.PCIeTX, &g.PCIeTX}, {&all.PCIeRX, &g.PCIeRX}, {&all.Power, &g.Power}, {&all.PowerPeak, &g.PowerPeak},
			{&all.Energy, &g.Energy}, {&all.EnergyError, &g.EnergyError}, {&all.EnergyNet, &g.EnergyNet}, {&all.ECC, &g.ECC}, {&all.Xids, &g.Xids},
		} {
			*v.all = join(*v.all, *v.one, v.all.N+v.one.N)
		}
		for _, v := range []struct{ all, one *Value }{
			{&all.Utilization, &g.Utilization}, {&all.Busy, &g.Busy}, {&all.SM, &g.SM}, {&all.DRAM, &g.DRAM}, {&all.Tensor, &g.Tensor},
			{&all.SMClock, &g.SMClock}, {&all.MemoryClock, &g.MemoryClock},
		} {
			*v.all = join(*v.all, *v.one, (v.all.N*n+v.one.N)/(n+1))
		}
		all.UtilizationPeak = join(all.UtilizationPeak, g.UtilizationPeak, max(all.UtilizationPeak.N, g.UtilizationPeak.N))
		all.Temperature = join(all.Temperature, g.Temperature, max(all.Temperature.N, g.Temperature.N))
		all.SMClockMin = join(all.SMClockMin, g.SMClockMin, min(all.SMClockMin.N, g.SMClockMin.N))
		for r := range all.Throttle {
			all.Throttle[r] = join(all.Throttle[r], g.Throttle[r], all.Throttle[r].N+g.Throttle[r].N)
		}
		all.Gaps, all.GapsKnown = intersect(all.Gaps, g.Gaps), all.GapsKnown && g.GapsKnown
	}
	return all
}

// join returns n if both a and b are known.
func join(a, b Value, n float64) Value {
	if !a.Known || !b.Known {
		return Value{}
	}
	return known(n)
}
