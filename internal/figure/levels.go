package figure

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"vllmbench/internal/answers"
	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// leastForInterval is the number of repetitions from which their order
// statistics bound a median at 95 %: 1 - 2/2^6 = 96.9 %.
const leastForInterval = 6

// fewRuns is the number of runs up to which a picture has room for more than one line and its label each.
const fewRuns = 3

// A maker makes the figures of runs.
type maker struct {
	runs      []*results.Run
	summaries []answers.Summary // one a run
	names     []string          // of the runs, fit to be drawn
}

// levels are the levels of a metric that say anything: measured or void.
func (m *maker) levels(run int, experiment, metric string) []answers.Level {
	return slices.DeleteFunc(answers.Levels(m.runs[run], experiment, metric), func(l answers.Level) bool {
		return l.N == 0 && len(l.Void) == 0
	})
}

// metric chooses the first of the metrics that some run has measured; "" if none.
func (m *maker) metric(experiment string, metrics ...string) string {
	for _, metric := range metrics {
		for i := range m.runs {
			if slices.ContainsFunc(m.levels(i, experiment, metric), func(l answers.Level) bool { return l.N > 0 }) {
				return metric
			}
		}
	}
	return ""
}

// An of says which levels of a run make a line.
type of struct {
	experiment, metric string
	scale              float64 // of the metric's unit in the axis's
	x                  func(measure.Cell) int
	only               func(measure.Cell) bool // nil: all
}

// points are the levels of a run in the order of what was set.
func (m *maker) points(run int, o of) (points []Point) {
	for _, l := range m.levels(run, o.experiment, o.metric) {
		if o.only != nil && !o.only(l.Cell) {
			continue
		}
		p := Point{X: float64(o.x(l.Cell)), N: l.N}
		if l.N == 0 {
			p.Void = clean(reasons(l.Void), 200)
		} else {
			p.Y, p.Low, p.High = l.Value*o.scale, scaled(l.Low, o.scale), scaled(l.High, o.scale)
		}
		points = append(points, p)
	}
	slices.SortStableFunc(points, func(a, b Point) int { return cmp.Compare(a.X, b.X) })
	return points
}

func scaled(v *float64, by float64) *float64 {
	if v == nil {
		return nil
	}
	return new(*v * by)
}

// measured says whether a line proves anything.
func measured(points []Point) bool {
	return slices.ContainsFunc(points, func(p Point) bool { return p.Void == "" })
}

// voids are the notes on the void rows of an experiment.
func (m *maker) voids(experiment, metric string) (notes []string) {
	for i := range m.runs {
		for _, l := range m.levels(i, experiment, metric) {
			if len(l.Void) == 0 {
				continue
			}
			left := "is void"
			if l.N > 0 {
				left = fmt.Sprintf("has void rows, which are left out (%d are not)", l.N)
			}
			notes = append(notes, clean(fmt.Sprintf("%s, %s %s: %s", m.names[i], l.Cell.Name, left, reasons(l.Void)), 300))
		}
	}
	return notes
}

// reasons lists each reason once.
func reasons(all []string) string {
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(all))), "; ")
}

// bars says what the error bars of lines are, and where there are none.
func (m *maker) bars(lines []Line) []string {
	with, without := false, map[int]int{}
	for _, l := range lines {
		for _, p := range l.Points {
			switch {
			case p.Void != "" || l.Role != Data:
			case p.Low != nil:
				with = true
			default:
				without[l.Run] = max(without[l.Run], p.N)
			}
		}
	}
	var notes []string
	if with {
		notes = append(notes, "points: medians over repetitions; bars: their 95 % intervals")
	}
	for i, name := range m.names {
		if n, ok := without[i]; ok {
			notes = append(notes, fmt.Sprintf("%s: points without a bar have up to %d repetitions, and an interval needs %d", name, n, leastForInterval))
		}
	}
	return notes
}

// finish completes a figure over levels: its axes, and notes on bars and void rows.
func (m *maker) finish(f Figure, xLabel string, y func(label string, values []float64) Axis, experiment, metric string) []Figure {
	if !slices.ContainsFunc(f.Lines, func(l Line) bool { return l.Role == Data && measured(l.Points) }) {
		return nil
	}
	f.X = levelAxis(xLabel, dataXs(f.Lines))
	f.Y = y(f.Y.Label, ys(f.Lines))
	f.Notes = slices.Concat(m.bars(f.Lines), f.Notes, m.voids(experiment, metric))
	for i, name := range m.names {
		if !slices.ContainsFunc(f.Lines, func(l Line) bool { return l.Run == i }) {
			f.Notes = append(f.Notes, name+" does not have it")
		}
	}
	return []Figure{f}
}

// dataXs are what was set.
func dataXs(lines []Line) []float64 {
	return xs(slices.DeleteFunc(slices.Clone(lines), func(l Line) bool { return l.Role != Data }))
}
