package compare

import (
	"fmt"

	"vllmbench/internal/measure"
)

// Names of the experiments of a search, as rows have them.
const (
	probes   = "probe"    // its windows
	searches = "capacity" // its answers
)

// objectives leaves out what the two runs measured by different SLOs, so that
// looser objectives do not pass for a faster server.
func (p *pair) objectives() {
	for _, b := range p.old.benchmarks {
		a, n := p.old.slos[b], p.new.slos[b]
		if a == "" || n == "" || a == n {
			continue
		}
		for _, s := range []*samples{p.old, p.new} {
			for metric := range s.values[b] {
				if measure.OfSLO(metric) || measure.OfCapacity(metric) {
					delete(s.values[b], metric)
					s.leftOut[b][metric] = fmt.Sprintf("the SLOs differ (%s and %s)", a, n)
				}
			}
		}
	}
}

// growth is the rule of measure's that leaves out what has no steady state.
const growth = "growth"

// mostGrown is the share of a benchmark's repetitions that chance may find without
// a steady state.
const mostGrown = 0.1

// steady leaves out what only some repetitions have since in the others the
// queue grew: these are the luckier ones, and a slower server has fewer of them.
func (s *samples) steady() {
	for b, metrics := range s.grew {
		for metric, n := range metrics {
			if all := n + len(s.values[b][metric]); n < all && float64(n) > mostGrown*float64(all) {
				delete(s.values[b], metric)
				s.leftOut[b][metric] = fmt.Sprintf("the queue grew in %d of %d repetitions, and the others are the luckier ones", n, all)
			}
		}
	}
}

// without says whether the benchmark has no such metric by what it is: an
// answer of a search has no throughput, and a closed loop no arrivals. That is
// no gap that a gate would have to be undecided for.
func (p *pair) without(benchmark, metric string) bool {
	m, ours := known(metric)
	cell := p.old.cells[benchmark]
	told := p.old.missing(benchmark, metric, "") + p.new.missing(benchmark, metric, "")
	if !ours || cell.Experiment == "" || told != "" {
		return false
	}
	slo := p.old.slos[benchmark]
	return cell.Experiment == searches || !m.Of(&measure.Row{Cell: cell, SLO: slo})
}
