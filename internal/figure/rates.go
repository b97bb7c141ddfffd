package figure

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"vllmbench/internal/answers"
	"vllmbench/internal/slo"
)

const ofArrivals = "arrivals"

const rateLabel = "arrival rate (req/s)"

// logRates is the ratio of the highest load to the lowest from which their axis is logarithmic.
const logRates = 16

// A latency is one that is drawn over the rate, with the objective that bounds it.
type latency struct {
	name  string
	bound func(slo.SLO) time.Duration
}

// latencies are in the order in which a reader chooses of them.
var latencies = []latency{
	{"ttft", func(s slo.SLO) time.Duration { return s.TTFT }},
	{"itl", func(slo.SLO) time.Duration { return 0 }},
	{"tpot", func(s slo.SLO) time.Duration { return s.ITL }},
	{"e2e", func(s slo.SLO) time.Duration { return s.E2E }},
}

// rates are the figures over the rate of arrivals, and those of the searches.
func (m *maker) rates() (all []Figure) {
	for _, l := range latencies {
		all = append(all, m.latencyOverRate(l)...)
	}
	return slices.Concat(all, m.goodput(), m.shares(answers.Rate, rateLabel), m.shares(answers.Batch, batchLabel))
}

func (m *maker) latencyOverRate(l latency) []Figure {
	f := Figure{ID: "rate-" + l.name, Group: "rate-latency", Choice: strings.ToUpper(l.name), Title: "How does latency grow with the load?", Better: "lower"}
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
	f.Notes = []string{"a quantile is drawn as far as the number of requests bounds it"}
	if l.name == "ttft" || l.name == "e2e" {
		f.Notes = append(f.Notes, "latency counts from when requests were due")
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
		if strings.HasPrefix(metric, "p") && !strings.HasPrefix(metric, "p50-") {
			continue // the small points of several quantiles would not be told apart
		}
		if probes := m.atLoads(i, answers.Probes, axis, metric, scale); measured(probes) {
			lines = append(lines, Line{Run: i, Role: Probe, Label: name + says + ", probes", Points: probes})
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
	for _, x := range slices.Compact(slices.Sorted(slices.Values(xs(f.Lines)))) {
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
		if l := (Limit{Y: target, Label: "wanted: " + tick(target) + " %"}); !slices.Contains(f.Limits, l) {
			f.Limits = append(f.Limits, l)
		}
	}
	f.Y.Label = "requests that meet the SLO (%)"
	return m.finishLoads(f, axis, label, "slo-%", func(label string, _ []float64) Axis {
		return Axis{Label: label, Scale: Linear, Ticks: []float64{0, 25, 50, 75, 90, 100}, Max: 106}
	})
}
