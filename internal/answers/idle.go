package answers

import (
	"fmt"
	"strings"

	"vllmbench/internal/measure"
)

// idleMatters is the idle share, in percent, from which it is worth looking
// for: below it all of it would bring less than 5 % of throughput.
const idleMatters = 5

func idle(v *view, _ *Summary) Answer {
	a := Answer{ID: "idle", Question: "Is the GPU idle, and where are the gaps?", Status: NotEnough}
	if v.run.GPU != nil {
		a.Figure = "gpu-timeline"
	}
	var parts []string
	worst := Level{}
	for _, x := range []struct{ experiment, name string }{{latency, "of a single stream's time (Latency)"}, {seqlen, "of SeqLen's"}, {throughput, "of Throughput's"}} {
		e := v.mean(x.experiment, "gpu-idle-%")
		if e.N == 0 {
			continue
		}
		parts = append(parts, fmt.Sprintf("%s %s", e.text("%"), x.name))
		for _, l := range Levels(v.run, x.experiment, "gpu-idle-%") {
			if l.N > 0 && (worst.N == 0 || l.Value > worst.Value) {
				worst = l
			}
		}
	}
	if len(parts) == 0 {
		a.Text = v.noGPU("gpu-idle-%", "The GPU's idle time is unknown")
		return a
	}
	a.Status = Answered
	says := "Hardly"
	if worst.Value >= idleMatters {
		says = "In part"
	}
	a.Text = fmt.Sprintf("%s: the GPU does nothing in %s; most in %s, %s.", says, strings.Join(parts, ", "), clean(worst.Cell.Name), worst.text("%"))
	a.Text += v.idlePlaces() + v.gaps()
	if worst.Value >= idleMatters {
		a.Text += " In that time the GPU waits for the host: for the next step to be scheduled, or for a request to arrive."
	}
	a.Evidence = []string{"gpu-idle-% counts the benchmark windows only, not the pauses between cells"}
	if sm, dram := v.mean(latency, "gpu-sm-%"), v.mean(latency, "gpu-dram-%"); sm.N > 0 {
		a.Evidence = append(a.Evidence, fmt.Sprintf("while it works, the GPU is not full: SM activity %s, DRAM %s in Latency", sm.text("%"), dram.text("%")))
	}
	return a
}

// mean is a metric of an experiment: the mean over the cells of each
// repetition, of those for which all of only hold.
func (v *view) mean(experiment, metric string, only ...func(*measure.Row) bool) Estimate {
	var sums, counts = map[int]float64{}, map[int]float64{}
	for _, row := range v.rows {
		y, ok := row.Measured.Value(metric)
		for _, holds := range only {
			ok = ok && holds(&row.Measured)
		}
		if ok && row.Measured.Experiment == experiment {
			sums[row.Repetition] += y
			counts[row.Repetition]++
		}
	}
	var means []float64
	for repetition, sum := range sums {
		means = append(means, sum/counts[repetition])
	}
	return estimate(means)
}

// idlePlaces splits the idle time of a single request into a part that each
// request has and a part that each token has: idle time over output tokens is a
// line, whose intercept lies between requests and in prefill.
func (v *view) idlePlaces() string {
	s := v.series(func(r *measure.Row) (x, y float64, ok bool) {
		share, ok := r.Value("gpu-idle-%")
		if !ok || !single(r) || r.Requests == 0 {
			return 0, 0, false
		}
		return float64(r.OutputTokens), share / 100 * float64(r.Window.Length()) / float64(r.Requests), true
	})
	if len(s.x) < 2 {
		return ""
	}
	l := fitLine(s)
	if l == nil || l.A.Value <= 0 || l.B.Value < 0 {
		return ""
	}
	return fmt.Sprintf(" Of single requests %s of it come once a request, around its start and end, and %s with every token.", l.A.duration(""), l.B.duration(""))
}

// gaps tells of the gaps that are long enough to be seen.
func (v *view) gaps() string {
	n, longest, where, known := 0, 0.0, "", false
	for _, row := range v.rows {
		m := &row.Measured
		if _, ok := m.Value("gpu-gaps"); !ok && m.Gaps == nil {
			continue
		}
		known = true
		seen, _ := m.Value("gpu-gaps")
		n += max(len(m.Gaps), int(seen))
		length, _ := m.Value("gpu-gap-max-ns")
		for _, g := range m.Gaps {
			length = max(length, float64(g.Length()))
		}
		if length > longest {
			longest, where = length, clean(m.Name)
		}
	}
	switch {
	case !known:
		return ""
	case n == 0:
		return " No gap is as long as the time between two reads of the GPU; shorter ones do not show one by one."
	}
	are := "are"
	if n == 1 {
		are = "is"
	}
	return fmt.Sprintf(" %s %s long enough to be seen, the longest %s in %s; gaps shorter than the time between two reads do not show.", plural(n, "gap"), are, ns(longest), where)
}

// noGPU says why a metric of the GPU is not there, and which run would have it.
func (v *view) noGPU(metric, what string) string {
	for _, row := range v.rows {
		for _, l := range row.Measured.LeftOut {
			if l.Metric == metric && len(v.run.Header.Devices) > 0 {
				return fmt.Sprintf("%s: it was left out (%s).", what, clean(l.Reason))
			}
		}
	}
	why := "no GPU was watched"
	if v.run.Header.Flags["gpu"] == "none" {
		why += " (-gpu=none)"
	} else if len(v.run.Header.Devices) > 0 {
		why = "the record has no such figure of it"
	}
	return fmt.Sprintf("%s, because %s. Run the benchmarks where the driver reaches the server's GPU (-gpu=nvml=0), or through a DCGM exporter (-gpu=dcgm=URL).", what, why)
}
