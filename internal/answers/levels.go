package answers

import (
	"cmp"
	"slices"

	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// Levels is a metric of every cell of an experiment, in the order of what was
// set: the median over the valid repetitions with the interval of the sign
// test, and the reasons of the void ones.
func Levels(run *results.Run, experiment, metric string) []Level {
	var levels []Level
	values := map[measure.Cell][]float64{}
	for i := range run.Rows {
		m := &run.Rows[i].Measured
		if m.Experiment != experiment {
			continue
		}
		at := slices.IndexFunc(levels, func(l Level) bool { return l.Cell == m.Cell })
		if at < 0 {
			at = len(levels)
			levels = append(levels, Level{Cell: m.Cell})
		}
		if len(m.Void) > 0 {
			levels[at].Void = append(levels[at].Void, m.Void...)
		} else if y, ok := m.Value(metric); ok {
			values[m.Cell] = append(values[m.Cell], y)
		}
	}
	for i := range levels {
		levels[i].Estimate = estimate(values[levels[i].Cell])
	}
	slices.SortStableFunc(levels, func(a, b Level) int {
		return cmp.Or(
			cmp.Compare(a.Cell.Batch, b.Cell.Batch),
			cmp.Compare(a.Cell.Rate, b.Cell.Rate),
			cmp.Compare(a.Cell.PromptTokens, b.Cell.PromptTokens),
			cmp.Compare(a.Cell.OutputTokens, b.Cell.OutputTokens),
		)
	})
	return levels
}
