package answers

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// Names of the experiments beside the mission's, as rows have them.
const (
	arrivals = "arrivals"
	capacity = "capacity"
	prefix   = "prefix"
	turns    = "turns"
	replay   = "trace"
)

// Probes is the name of the experiment of a search's windows.
const Probes = "probe"

// Axes of a load, as the names of cells have them.
const (
	Rate  = "rate"  // arrivals a second
	Batch = "batch" // requests in flight
)

// Rules of measure's that these answers know by name.
const (
	ruleGrowth = "growth"
	ruleLate   = "late"
)

// Setting is the number that a cell's name gives a parameter: 50 for
// "shared" in "Prefix/shared=50". A ramp, as in "rate=4..16", is none.
func Setting(c measure.Cell, name string) (float64, bool) {
	for part := range strings.SplitSeq(c.Name, "/") {
		if text, ok := strings.CutPrefix(part, name+"="); ok {
			v, err := strconv.ParseFloat(text, 64)
			return v, err == nil
		}
	}
	return 0, false
}

// Loads is a metric at every load that an experiment set on an axis, ascending:
// the median over the rows that were in a steady state. A row without one is as
// void as any, since a median over the others alone would be that of the luckier
// ones: where at least half of the rows are void, nothing is known (N is 0).
func Loads(run *results.Run, experiment, axis, metric string) (out []Level) {
	for i := range run.Rows {
		m := &run.Rows[i].Measured
		if x, ok := Setting(m.Cell, axis); !ok || x <= 0 || m.Experiment != experiment || m.Open() != (axis == Rate) {
			continue
		}
		if !slices.ContainsFunc(out, func(l Level) bool { return l.Cell == m.Cell }) {
			out = append(out, load(run, m.Cell, metric))
		}
	}
	slices.SortStableFunc(out, func(a, b Level) int {
		return cmp.Or(cmp.Compare(a.Cell.Rate, b.Cell.Rate), cmp.Compare(a.Cell.Batch, b.Cell.Batch))
	})
	return out
}

// load is one level of Loads.
func load(run *results.Run, cell measure.Cell, metric string) Level {
	l := Level{Cell: cell}
	var values []float64
	steady := 0
	for i := range run.Rows {
		m := &run.Rows[i].Measured
		if m.Cell != cell {
			continue
		}
		reason, grew := Unsteady(m, metric)
		y, ok := m.Value(metric)
		switch {
		case len(m.Void) > 0:
			l.Void = append(l.Void, m.Void...)
		case grew:
			l.Void = append(l.Void, reason)
		default:
			steady++
			if ok {
				values = append(values, y)
			}
		}
	}
	if steady > len(l.Void) {
		l.Estimate = estimate(values)
	}
	return l
}

// Unsteady says whether a row lacks the metric for want of a steady state, and by how much its queue grew.
func Unsteady(m *measure.Row, metric string) (reason string, grew bool) {
	for _, l := range m.LeftOut {
		if l.Metric == metric && l.Rule == ruleGrowth {
			return l.Reason, true
		}
	}
	return "", false
}

// SLO is what the run's goodput was measured by, "" if by nothing.
func SLO(run *results.Run) string {
	for i := range run.Rows {
		if text := run.Rows[i].Measured.SLO; text != "" {
			return text
		}
	}
	return ""
}

// Share is the share of requests, in percent, that a search wanted to meet the SLO.
func Share(run *results.Run) float64 {
	const usual = 95 // as BenchmarkCapacity has it
	if v, err := strconv.ParseFloat(run.Header.Flags["slo-share"], 64); err == nil && v > 0 && v < 100 {
		return v
	}
	return usual
}

// of says whether the run has rows of the experiment, void ones too.
func (v *view) of(experiment string) bool {
	return slices.ContainsFunc(v.run.Rows, func(r results.Row) bool { return r.Measured.Experiment == experiment })
}

// questions are those that the run has rows for. A run of experiments beside the
// mission's alone has nothing to say to the mission's.
func (v *view) questions() (out []func(*view, *Summary) Answer) {
	var more []func(*view, *Summary) Answer
	for _, q := range []struct {
		experiments []string
		answer      func(*view, *Summary) Answer
	}{
		{[]string{arrivals, capacity, Probes}, served},
		{[]string{arrivals}, queueing},
		{[]string{prefix}, sharing},
		{[]string{turns}, talking},
	} {
		if slices.ContainsFunc(q.experiments, v.of) {
			more = append(more, q.answer)
		}
	}
	if len(more) == 0 || v.of(latency) || v.of(throughput) || v.of(seqlen) {
		out = append(out, scaling, prompts, outputs, idle, bound, limits)
	}
	return append(out, more...)
}
