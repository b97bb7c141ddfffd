package figure

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"vllmbench/internal/answers"
	"vllmbench/internal/slo"
)

// An open loop is drawn over its rate, a search's probes of the closed one over its batch.
const (
	ofArrivals = "arrivals"
	ofProbes   = "probe"
)

const rateLabel = "arrival rate (req/s)"

// logRates is the ratio of the highest load to the lowest from which their axis is logarithmic.
const logRates = 16

// A latency is one that is drawn over the rate, with the objective that bounds it.
type latency struct {
	name, title string
	bound       func(slo.SLO) time.Duration
}

// latencies are in the order in which a reader chooses of them.
var latencies = []latency{
	{"ttft", "How does the wait for the first token grow with the load?", func(s slo.SLO) time.Duration { return s.TTFT }},
	{"itl", "How do the gaps between tokens grow with the load?", func(slo.SLO) time.Duration { return 0 }},
	{"tpot", "How does the time per output token grow with the load?", func(s slo.SLO) time.Duration { return s.ITL }},
	{"e2e", "How does a whole request's time grow with the load?", func(s slo.SLO) time.Duration { return s.E2E }},
}

// rates are the figures over the rate of arrivals, and those of the searches.
func (m *maker) rates() (all []Figure) {
	for _, l := range latencies {
		all = append(all, m.latencyOverRate(l)...)
	}
	return slices.Concat(all, m.goodput(), m.shares(answers.Rate, rateLabel), m.shares(answers.Batch, batchLabel))
}

func (m *maker) latencyOverRate(l latency) []Figure {
	f := Figure{ID: "rate-" + l.name, Group: "rate-latency", Choice: strings.ToUpper(l.name), Title: l.title, Better: "lower"}
	quantiles := []int{50, 90, 99}
	if len(m.runs) > fewRuns {
		quantiles = quantiles[:1]
	}
	for _, q := range quantiles {
		f.Lines = append(f.Lines, m.overLoad(answers.Rate, fmt.Sprintf("p%d-%s-ns", q, l.name), ms, ", "+ofQuantile(q))...)
	}
	for i := range m.runs {
		if d := l.bound(m.slo(i)); d > 0 {
			f.Limits = append(f.Limits, Limit{Y: float64(d) * ms, Label: "SLO: " + strings.ToUpper(l.name) + " " + duration(float64(d))})
		}
	}
	f.Limits = slices.Compact(f.Limits)
	f.Notes = []string{"counted from when requests were due; a quantile is drawn as far as the number of requests bounds it"}
	if l.name == "itl" {
		f.Notes = nil
	}
	f.Y.Label = strings.ToUpper(l.name) + " (ms)"
	return m.finishLoads(f, answers.Rate, rateLabel, "p50-"+l.name+"-ns", spread)
}

func ofQuantile(q int) string {
	if q == 50 {
		return "median"
	}
	return fmt.Sprintf("p%d", q)
}

// slo is what a run's goodput was measured by.
func (m *maker) slo(run int) slo.SLO {
	s, err := slo.Parse(answers.SLO(m.runs[run]))
	if err != nil { // of a record that another program wrote
		return slo.SLO{}
	}
	return s
}

// overLoad are the lines of a metric over loads: of each run those that were set,
// and the probes of its searches, which are single windows and not joined.
func (m *maker) overLoad(axis, metric string, scale float64, says string) (lines []Line) {
	for i, name := range m.names {
		set := m.atLoads(i, ofArrivals, axis, metric, scale)
		if measured(set) {
			lines = append(lines, Line{Run: i, Role: Data, Label: name + says, Points: set})
		}
		if probes := m.atLoads(i, ofProbes, axis, metric, scale); measured(probes) {
			l := Line{Run: i, Role: Probe, Points: probes}
			if !measured(set) {
				l.Label = name + says
			}
			lines = append(lines, l)
		}
	}
	return lines
}

func (m *maker) atLoads(run int, experiment, axis, metric string, scale float64) (points []Point) {
	for _, l := range answers.Loads(m.runs[run], experiment, axis, metric) {
		p := Point{X: l.Cell.Rate, N: l.N}
		if axis == answers.Batch {
			p.X = float64(l.Cell.Batch)
		}
		switch {
		case l.N > 0:
			p.Y, p.Low, p.High = l.Value*scale, scaled(l.Low, scale), scaled(l.High, scale)
		case len(l.Void) > 0:
			p.Void = clean(reasons(l.Void), 200)
		default:
			continue
		}
		points = append(points, p)
	}
	return points
}

// goodput is drawn with what it would be if every request met the SLO.
func (m *maker) goodput() []Figure {
	f := Figure{ID: "rate-goodput", Title: "How many requests a second meet the SLO?", Better: "higher",
		Y: Axis{Label: "goodput (req/s)"}, Lines: m.overLoad(answers.Rate, "goodput-req/s", 1, "")}
	if len(f.Lines) == 0 {
		return nil
	}
	most := slices.Max(xs(f.Lines))
	ideal := Line{Run: -1, Role: Ideal, Label: "all that are offered"}
	for _, x := range slices.Compact(slices.Sorted(slices.Values(append(xs(f.Lines), most)))) {
		ideal.Points = append(ideal.Points, Point{X: x, Y: x})
	}
	f.Lines = append(f.Lines, ideal)
	return m.finishLoads(f, answers.Rate, rateLabel, "goodput-req/s", func(label string, values []float64) Axis {
		if lo := slices.Min(values); lo > 0 && most > logRates*slices.Min(xs(f.Lines)) {
			return logAxis(label, values)
		}
		return linearAxis(label, values)
	})
}

// shares are how many requests met the SLO in the probes of a search.
func (m *maker) shares(axis, label string) []Figure {
	f := Figure{ID: axis + "-slo", Title: "Up to what load does the SLO hold?", Better: "higher", Lines: m.overLoad(axis, "slo-%", 1, "")}
	if !slices.ContainsFunc(f.Lines, func(l Line) bool { return l.Role == Probe }) {
		return nil
	}
	for i := range m.runs {
		target := answers.Share(m.runs[i])
		if l := (Limit{Y: target, Label: "wanted: " + num(target) + " %"}); !slices.Contains(f.Limits, l) {
			f.Limits = append(f.Limits, l)
		}
	}
	f.Y.Label = "requests that meet the SLO (%)"
	return m.finishLoads(f, axis, label, "slo-%", func(label string, _ []float64) Axis {
		return Axis{Label: label, Scale: Linear, Ticks: []float64{0, 25, 50, 75, 90, 100}, Max: 106}
	})
}

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
		for _, experiment := range []string{ofArrivals, ofProbes} {
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
