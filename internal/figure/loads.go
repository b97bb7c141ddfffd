package figure

import (
	"fmt"
	"math"
	"slices"

	"vllmbench/internal/answers"
)

// finishLoads completes a figure over loads: its axes, the capacities, the SLOs and what is void.
func (m *maker) finishLoads(f Figure, axis, label, metric string, y func(label string, values []float64) Axis) []Figure {
	if !slices.ContainsFunc(f.Lines, func(l Line) bool { return (l.Role == Data || l.Role == Probe) && measured(l.Points) }) {
		return nil
	}
	f.Marks = m.capacities(axis)
	values := ys(f.Lines)
	for _, l := range f.Limits {
		values = append(values, l.Y)
	}
	f.X, f.Y = m.loadAxis(f, label), y(f.Y.Label, values)
	f.Notes = slices.Concat(m.bars(f.Lines), f.Notes, m.objectives(metric))
	if slices.ContainsFunc(f.Lines, func(l Line) bool { return l.Role == Probe }) {
		f.Notes = append(f.Notes, "points that are not joined: single windows of a search")
	}
	f.Notes = append(f.Notes, m.unsteady(axis, metric)...)
	return []Figure{f}
}

// capacities are what the searches found on an axis.
func (m *maker) capacities(axis string) (marks []Mark) {
	for i, s := range m.summaries {
		c, unit := s.Capacity, " req/s"
		if axis == answers.Batch {
			c, unit = s.CapacityBatch, " in flight"
		}
		if c != nil && c.Value > 0 {
			marks = append(marks, Mark{X: c.Value, Low: c.Low, High: c.High, Run: i, Label: fmt.Sprintf("%s: capacity %s%s%s", m.names[i], num(c.Value), unit, interval(*c))})
		}
	}
	return marks
}

// loadAxis has the loads that were set as ticks; a search's are anywhere.
func (m *maker) loadAxis(f Figure, label string) Axis {
	all, set := xs(f.Lines), dataXs(f.Lines)
	for _, k := range f.Marks {
		all = append(all, k.X)
		if k.Low != nil && k.High != nil {
			all = append(all, *k.Low, *k.High)
		}
	}
	a := linearAxis(label, all)
	if lo := slices.Min(all); lo > 0 && slices.Max(all) > logRates*lo {
		a = levelAxis(label, all)
		a.Ticks = nil
		for e := math.Ceil(math.Log2(a.Min)); e <= math.Log2(a.Max); e++ {
			a.Ticks = append(a.Ticks, math.Exp2(e))
		}
	}
	if len(set) > 1 {
		a.Ticks = slices.Compact(slices.Sorted(slices.Values(set)))
	}
	return a
}

// objectives name the SLOs of figures that count what met them.
func (m *maker) objectives(metric string) (notes []string) {
	if metric != "goodput-req/s" && metric != "slo-%" {
		return nil
	}
	for i, name := range m.names {
		if text := answers.SLO(m.runs[i]); text != "" {
			notes = append(notes, fmt.Sprintf("%s: SLO %s", name, clean(text, 100)))
		}
	}
	return notes
}

// mostVoid is how many loads of a run that prove nothing are named with their reasons.
const mostVoid = 3

// unsteady are notes on the loads that prove nothing, or of which some repetitions do not.
func (m *maker) unsteady(axis, metric string) (notes []string) {
	for i, name := range m.names {
		var mine []string
		for _, experiment := range []string{ofArrivals, answers.Probes} {
			for _, l := range answers.Loads(m.runs[i], experiment, axis, metric) {
				if len(l.Void) == 0 {
					continue
				}
				left := "void"
				if l.N > 0 {
					left = fmt.Sprintf("has rows that are left out (%d are not)", l.N)
				}
				mine = append(mine, clean(fmt.Sprintf("%s, %s %s: %s", name, l.Cell.Name, left, l.Void[0]), 300))
			}
		}
		if n := len(mine); n > mostVoid {
			mine = append(mine[:mostVoid], fmt.Sprintf("%s: and %d more loads that prove nothing", name, n-mostVoid))
		}
		notes = append(notes, mine...)
	}
	return notes
}
