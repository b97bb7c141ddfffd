package figure

import (
	"errors"
	"fmt"
	"slices"

	"vllmbench/internal/answers"
	"vllmbench/internal/results"
)

// All makes the figures that runs have data for, each with all runs in it.
// summaries are those of the runs, in the same order.
//
// Requests that are damaged are left out, with a note; it is an error if there
// is no run, or not one summary for each.
func All(runs []*results.Run, summaries []answers.Summary) ([]Figure, error) {
	if len(runs) == 0 {
		return nil, errors.New("no run to draw: name one or more")
	}
	if len(runs) != len(summaries) {
		return nil, fmt.Errorf("%d summaries for %d runs: give one for each", len(summaries), len(runs))
	}
	m := &maker{runs: runs, summaries: summaries, names: Names(runs)}
	return slices.Concat(
		m.throughput(), m.ttft(), m.tpot(), m.e2e(),
		m.tradeoff("tradeoff", "ITL", "p50-itl-ns"), m.tradeoff("tradeoff-ttft", "TTFT", "p50-ttft-ns", "mean-ttft-ns"),
		m.energy(), m.queue(), m.preemptions(),
		m.rates(), m.shared(), m.turns(),
		m.ecdfs(), m.gpus(),
	), nil
}

// Names are the names of runs as figures show them: short, fit to be drawn.
func Names(runs []*results.Run) []string {
	names := make([]string, len(runs))
	for i, r := range runs {
		names[i] = clean(r.Name, 24)
	}
	return names
}
