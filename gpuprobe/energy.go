package gpuprobe

import "time"

func energyCounter(r *Reading) Value { return r.Energy }

// energy returns the energy of the window in J and the bound of its error.
//
// The counter tells the energy of up to one step ago, so a difference is wrong
// by at most step x power. Where an end of the window lies a share f into an
// interval of d seconds between two reads, interpolation is wrong by at most
// f (1-f) d (highest - lowest power): the worst case is a power that is highest
// in the first part of the interval and lowest in the rest.
func (v view) energy() (joules, bound Value) {
	joules = v.counter(energyCounter)
	if !joules.Known {
		return Value{}, Value{}
	}
	low, high := v.powers()
	e := high * max(energyStep, v.stall()).Seconds()
	last := len(v.near) - 1
	e += v.ambiguity(1, v.from) * (high - low)
	e += v.ambiguity(last, v.to) * (high - low)
	return joules, known(e)
}

// ambiguity returns f (1-f) d for t between samples k-1 and k, in seconds.
func (v view) ambiguity(k int, t time.Time) float64 {
	before, after := t.Sub(v.near[k-1].At).Seconds(), v.near[k].At.Sub(t).Seconds()
	if before+after <= 0 {
		return 0
	}
	return before * after / (before + after)
}

// powers returns the lowest and highest power in and around the window, of the
// reads and of the counter between reads that are many steps apart.
func (v view) powers() (low, high float64) {
	n := 0
	add := func(w float64) {
		if n++; n == 1 {
			low, high = w, w
		}
		low, high = min(low, w), max(high, w)
	}
	for k := range v.all {
		r := v.all[k].GPUs[v.gpu]
		if r.Power.Known {
			add(r.Power.N)
		}
		if k == 0 {
			continue
		}
		prev := v.all[k-1].GPUs[v.gpu]
		d := v.all[k].At.Sub(v.all[k-1].At)
		if r.Energy.Known && prev.Energy.Known && r.Energy.N >= prev.Energy.N && d >= 5*energyStep {
			add((r.Energy.N - prev.Energy.N) / d.Seconds())
		}
	}
	return low, high
}

// stall returns the longest time for which the energy counter did not move in
// and around the window: an exporter may renew it seldom.
func (v view) stall() (longest time.Duration) {
	since := 0
	for k := 1; k < len(v.all); k++ {
		a, b := v.all[since].GPUs[v.gpu].Energy, v.all[k].GPUs[v.gpu].Energy
		if a != b || !a.Known {
			since = k
			continue
		}
		longest = max(longest, v.all[k].At.Sub(v.all[since].At))
	}
	return longest
}
