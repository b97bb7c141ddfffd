package gpuprobe

import (
	"fmt"
	"math"
	"strings"
	"time"
)

const (
	// missingShare is the share of reads that may be missing: interpolation bridges one in ten.
	missingShare = 0.1
	// throttledShare is the share of the window that may be throttled: less moves no figure by a percent.
	throttledShare = 0.01
	// energyApart is how far counter and power may be apart (published comparisons: 1 % to 40 %).
	energyApart = 0.1
	// energyWindow is the shortest window in which they are compared: power reads are means of a second.
	energyWindow = 10 * time.Second
	// staleAfter is how long an energy counter may rest.
	staleAfter = 2 * time.Second
)

// trouble says what makes the figures of u doubtful.
func (w window) trouble(u Usage, gpus []Device, period time.Duration, expecting bool) (all []Trouble) {
	add := func(kind, format string, args ...any) {
		all = append(all, Trouble{kind, fmt.Sprintf(format, args...)})
	}
	length := w.to.Sub(w.from)
	if length < 2*period {
		add(TroubleShort, "%v holds fewer than two reads of %v", length.Round(time.Millisecond), period)
	}
	if wanted := float64(length) / float64(max(period, 1)); !w.enclosed() || float64(u.Missing) > missingShare*wanted {
		add(TroubleMissing, "%d of about %.0f reads", u.Missing, math.Ceil(wanted))
	}
	for i, d := range gpus {
		w.troubleOf(view{w, i}, d, u.GPUs[i], add)
	}
	u.foreign(gpus, expecting, add)
	return all
}

// troubleOf says what is wrong with one GPU.
func (w window) troubleOf(v view, d Device, f Figures, add func(kind, format string, args ...any)) {
	for k := range v.near {
		if v.reading(k).Lost {
			add(TroubleLost, "GPU %d (%s)", d.Index, d.UUID)
			break
		}
	}
	if d.MIG {
		add(TroubleMIG, "GPU %d is split into instances: its power, energy and clocks are of all of them, and no instance's utilisation is read", d.Index)
	}
	for r, s := range f.Throttle {
		if !s.Known || s.N <= throttledShare*w.seconds() {
			continue
		}
		kind := TroubleThrottled
		if Reason(r) == PowerCap {
			kind = TroublePowerCap
		}
		add(kind, "GPU %d: %v for %.0f %% of the window", d.Index, Reason(r), 100*s.N/w.seconds())
	}
	if f.ECC.N > 0 || f.Xids.N > 0 {
		add(TroubleErrors, "GPU %d: %.0f uncorrected memory errors, %.0f Xid errors", d.Index, f.ECC.N, f.Xids.N)
	}
	w.troubleOfEnergy(v, d, f, add)
}

func (w window) troubleOfEnergy(v view, d Device, f Figures, add func(kind, format string, args ...any)) {
	for k := 1; k < len(v.near); k++ {
		if a, b := v.reading(k-1).Energy, v.reading(k).Energy; a.Known && b.Known && b.N < a.N {
			add(TroubleBackwards, "GPU %d: the energy counter fell from %.0f to %.0f J", d.Index, a.N, b.N)
		}
	}
	if rest := v.stall(); rest > staleAfter {
		add(TroubleStale, "GPU %d: energy rested for %v; run the exporter with --collect-interval 1000", d.Index, rest.Round(time.Second))
		return
	}
	mean := v.mean(power)
	apart := math.Abs(mean.N*w.seconds() - f.Energy.N)
	if mean.Known && f.Energy.Known && w.to.Sub(w.from) >= energyWindow && apart > energyApart*f.Energy.N+f.EnergyError.N {
		add(TroubleEnergy, "GPU %d: %.0f J by the counter, %.0f J by the power", d.Index, f.Energy.N, mean.N*w.seconds())
	}
}

// foreign names processes that are not the server's.
func (u Usage) foreign(gpus []Device, expecting bool, add func(kind, format string, args ...any)) {
	for i, d := range gpus {
		var pids []string
		for _, p := range u.Processes {
			if p.GPU == i && !p.Expected {
				pids = append(pids, fmt.Sprintf("%d (%.0f MiB)", p.PID, p.Memory.N/(1<<20)))
			}
		}
		switch {
		case expecting && len(pids) > 0:
			add(TroubleForeign, "GPU %d: pid %s", d.Index, strings.Join(pids, ", "))
		case !expecting && len(pids) > 1:
			add(TroubleForeign, "GPU %d is used by pids %s, and which is the server's is not known", d.Index, strings.Join(pids, ", "))
		}
	}
}
