package figure

import (
	"fmt"
	"slices"

	"vllmbench/internal/answers"
	"vllmbench/internal/measure"
)

const (
	ofPrefix = "prefix"
	ofTurns  = "turns"
)

const sharedLabel = "part of the prompt that all requests have in common (%)"

// shared are TTFT and what the prefix cache found, over the shared part of the prompt.
func (m *maker) shared() []Figure {
	metric := m.metric(ofPrefix, "p50-ttft-ns", "mean-ttft-ns")
	times := Figure{ID: "shared-ttft", Title: "What does a shared prefix save?", Better: "lower", Y: Axis{Label: quantity(metric) + " (ms)"}}
	hits := Figure{ID: "shared-hits", Title: "Does the prefix cache find what it should?", Y: Axis{Label: "prompt tokens found (%)"}}
	for i, name := range m.names {
		for _, salted := range []bool{false, true} {
			label := name
			if salted {
				label += ", a salt each"
			}
			times.Lines = append(times.Lines, m.overShared(i, metric, ms, salted, Data, label)...)
			hits.Lines = append(hits.Lines, m.overShared(i, "prefix-hit-%", 1, salted, Data, label+", found")...)
			hits.Lines = append(hits.Lines, m.overShared(i, "prefix-expected-%", 1, salted, Ideal, label+", expected")...)
		}
	}
	return slices.Concat(m.finishShared(times, metric), m.finishShared(hits, "prefix-hit-%"))
}

func (m *maker) overShared(run int, metric string, scale float64, salted bool, role, label string) []Line {
	var points []Point
	for _, l := range m.levels(run, ofPrefix, metric) {
		x, ok := answers.Setting(l.Cell, "shared")
		if !ok || answers.Salted(l.Cell) != salted {
			continue
		}
		points = append(points, m.point(x, l, scale))
	}
	if !measured(points) {
		return nil
	}
	slices.SortStableFunc(points, func(a, b Point) int { return int(a.X - b.X) })
	return []Line{{Run: run, Role: role, Label: label, Points: points}}
}

// point is a level at x.
func (m *maker) point(x float64, l answers.Level, scale float64) Point {
	if l.N == 0 {
		return Point{X: x, Void: clean(reasons(l.Void), 200)}
	}
	return Point{X: x, N: l.N, Y: l.Value * scale, Low: scaled(l.Low, scale), High: scaled(l.High, scale)}
}

func (m *maker) finishShared(f Figure, metric string) []Figure {
	if len(f.Lines) == 0 {
		return nil
	}
	set := slices.Compact(slices.Sorted(slices.Values(xs(f.Lines))))
	f.X = linearAxis(sharedLabel, set)
	f.X.Ticks = set
	f.Y = linearAxis(f.Y.Label, ys(f.Lines))
	f.Notes = slices.Concat(m.bars(f.Lines), f.Notes, m.voids(ofPrefix, metric))
	return []Figure{f}
}

// turns is TTFT over the turn of a conversation.
func (m *maker) turns() []Figure {
	f := Figure{ID: "turns-ttft", Title: "What does a conversation cost by turn?", Better: "lower", Y: Axis{Label: "median TTFT (ms)"}}
	for i, name := range m.names {
		lines := m.overTurns(i)
		for k := range lines {
			lines[k].Label = name + ", " + lines[k].Label
			if len(lines) == 1 {
				lines[k].Label = name
			}
		}
		f.Lines = append(f.Lines, lines...)
	}
	if len(f.Lines) == 0 {
		return nil
	}
	set := slices.Compact(slices.Sorted(slices.Values(xs(f.Lines))))
	f.X = linearAxis("turn of the conversation", set)
	f.X.Ticks = set
	f.Y = linearAxis(f.Y.Label, ys(f.Lines))
	f.Notes = slices.Concat(m.bars(f.Lines), m.voids(ofTurns, measure.TurnTTFT(1)))
	return []Figure{f}
}

// overTurns are the lines of a run, one a cell.
func (m *maker) overTurns(run int) (lines []Line) {
	var cells []measure.Cell
	points := map[measure.Cell][]Point{}
	for turn := 1; measure.TurnTTFT(turn) != measure.TurnTTFT(turn+1); turn++ {
		for _, l := range m.levels(run, ofTurns, measure.TurnTTFT(turn)) {
			if l.N == 0 {
				continue // it is void at every turn
			}
			if points[l.Cell] == nil {
				cells = append(cells, l.Cell)
			}
			points[l.Cell] = append(points[l.Cell], m.point(float64(turn), l, ms))
		}
	}
	for _, c := range cells {
		lines = append(lines, Line{Run: run, Role: Data, Label: fmt.Sprintf("%s users", count(c.Batch)), Points: points[c]})
	}
	return lines
}
