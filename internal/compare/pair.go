package compare

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"

	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// A pair is what is compared of two runs.
type pair struct {
	old, new *samples
	units    benchfmt.UnitMetadataMap
}

func units(runs ...*results.Run) benchfmt.UnitMetadataMap {
	all := benchfmt.UnitMetadataMap{}
	for _, r := range runs {
		maps.Copy(all, r.Units)
	}
	return all
}

var quantile = regexp.MustCompile(`^p(\d+)-`)

// known finds a metric in the table of all, with whatever quantile it names.
func known(name string) (measure.Metric, bool) {
	quantiles := measure.DefaultQuantiles
	if m := quantile.FindStringSubmatch(name); m != nil {
		if q, err := strconv.Atoi(m[1]); err == nil && q < 100 {
			quantiles = []int{q}
		}
	}
	all := measure.Metrics(quantiles)
	if i := slices.IndexFunc(all, func(m measure.Metric) bool { return m.Name == name }); i >= 0 {
		return all[i], true
	}
	return measure.Metric{}, false
}

// better says in which direction the metric improves.
func (p *pair) better(metric string) string {
	if m, ok := known(metric); ok {
		return m.Better
	}
	switch p.units.GetBetter(metric) {
	case 1:
		return "higher"
	case -1:
		return "lower"
	}
	return ""
}

// metrics are those to be compared, in the order of their table, then as they are first met.
func (p *pair) metrics(c Config) ([]string, error) {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, g := range c.Gates {
		add(g.Metric)
	}
	for _, name := range c.Metrics {
		add(name)
	}
	for _, name := range names {
		if !p.old.has(name) && !p.new.has(name) {
			return nil, fmt.Errorf("%s is in neither run%s: name one of %s", name, p.why(name), cmp.Or(strings.Join(p.all(), ", "), "those that both have, of which there is none"))
		}
	}
	if len(names) > 0 {
		return names, nil
	}
	for _, name := range p.all() {
		m, ours := known(name)
		if ours && m.Default && m.Better != "" || !ours && !p.ours() {
			add(name)
		}
	}
	if len(names) == 0 {
		return p.all(), nil
	}
	return names, nil
}

// why is the reason for which a metric was left out of a run, if one is given.
func (p *pair) why(metric string) string {
	for _, s := range []*samples{p.old, p.new} {
		for _, b := range s.benchmarks {
			if reason := s.leftOut[b][metric]; reason != "" {
				return fmt.Sprintf(" (left out of %s: %s)", b, reason)
			}
		}
	}
	return ""
}

// all are the metrics that both runs have.
func (p *pair) all() (names []string) {
	for _, m := range measure.Metrics(measure.DefaultQuantiles) {
		names = append(names, m.Name)
	}
	var others []string
	for _, metrics := range p.old.values {
		others = append(others, slices.Collect(maps.Keys(metrics))...)
	}
	slices.Sort(others)
	names = append(names, slices.DeleteFunc(slices.Compact(others), func(n string) bool { return slices.Contains(names, n) })...)
	return slices.DeleteFunc(names, func(n string) bool { return !p.old.has(n) || !p.new.has(n) })
}

// ours says whether the benchmarks are this module's, of whose line ns/op adds nothing to E2E.
func (p *pair) ours() bool {
	for _, c := range p.old.cells {
		if c.Experiment != "" {
			return true
		}
	}
	return false
}
