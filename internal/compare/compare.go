// Package compare holds two runs against each other and decides, if asked,
// whether the new one is worse than it may be.
//
// It decides by intervals that are corrected for the number of comparisons:
// the chance of any wrong decision in one report is at most 5 %. What the
// repetitions do not carry is inconclusive, with the number that would.
// docs/compare.md gives the rule, its assumptions and how it was tested.
package compare

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/perf/benchproc"

	"vllmbench/internal/results"
)

// Values of Config.GateOn.
const (
	OnBoth    = "both"
	OnEach    = "each"
	OnGeomean = "geomean"
)

// A Config says what to compare, and how.
type Config struct {
	Metrics []string // which; empty: those of the gates, or without a gate those of the benchmark's line
	Filter  string   // which rows, in benchproc's syntax; empty: all
	Gates   []Gate
	GateOn  string   // empty: OnBoth
	Alpha   float64  // 0: 0.05
	Allow   []string // kinds of refusals that are warnings instead, of Kinds
	// The paths of both runs, as the report names them; empty: the runs' names.
	OldPath, NewPath string
}

// Compare holds new against old. Runs that cannot be compared are an
// *Incomparable; so that a gate cannot pass by a slip, a metric that neither
// run has and a filter that nothing passes are errors too.
func Compare(old, new *results.Run, c Config) (*Report, error) {
	c.GateOn, c.Alpha = cmp.Or(c.GateOn, OnBoth), cmp.Or(c.Alpha, 0.05)
	if err := c.check(); err != nil {
		return nil, err
	}
	filter, err := benchproc.NewFilter(cmp.Or(c.Filter, "*"))
	if err != nil {
		says, _, _ := strings.Cut(err.Error(), "\n") // below it the place is pointed at
		return nil, fmt.Errorf("filter %q: %s: go doc golang.org/x/perf/benchproc/syntax describes it", c.Filter, says)
	}
	p := &pair{old: collect(old, "old", filter), new: collect(new, "new", filter), units: units(old, new)}
	for _, side := range []struct {
		s    *samples
		name string
	}{{p.old, "old"}, {p.new, "new"}} {
		if len(side.s.benchmarks) == 0 {
			return nil, fmt.Errorf("the %s run has no row that passes the filter %q: give a wider one", side.name, c.Filter)
		}
	}
	p.old.steady()
	p.new.steady()
	p.objectives()
	r := &Report{
		Old:   Side{cmp.Or(c.OldPath, old.Name), p.old.rows, p.old.void},
		New:   Side{cmp.Or(c.NewPath, new.Name), p.new.rows, p.new.void},
		Alpha: c.Alpha, gates: len(c.Gates),
	}
	r.facts(old, new)
	if err := r.refuse(p, c.Allow); err != nil {
		return nil, err
	}
	for _, b := range p.old.benchmarks {
		if !slices.Contains(p.new.benchmarks, b) {
			r.OnlyInOld = append(r.OnlyInOld, b)
		}
	}
	for _, b := range p.new.benchmarks {
		if !slices.Contains(p.old.benchmarks, b) {
			r.OnlyInNew = append(r.OnlyInNew, b)
		}
	}
	r.Metrics, err = p.tables(c)
	if err != nil {
		return nil, err
	}
	r.Comparisons = settle(r.Metrics, c.Alpha)
	r.judge()
	return r, nil
}

func (c *Config) check() error {
	if !slices.Contains([]string{OnEach, OnGeomean, OnBoth}, c.GateOn) {
		return fmt.Errorf("-gate-on %q is none: each, geomean and both are", c.GateOn)
	}
	if !(c.Alpha > 0 && c.Alpha < 1) {
		return fmt.Errorf("-alpha %v is none: give a probability such as 0.05", c.Alpha)
	}
	for _, a := range c.Allow {
		if !slices.Contains(kinds, a) {
			return fmt.Errorf("-allow %s is none: %s are", a, strings.Join(kinds, ", "))
		}
	}
	return nil
}

// facts fills in what the runs tell of themselves.
func (r *Report) facts(old, new *results.Run) {
	a, b := old.Facts(), new.Facts()
	for _, d := range results.Differences(a, b) {
		if d.Old == "" || d.New == "" {
			r.OnlyOne = append(r.OnlyOne, d)
		} else {
			r.Differences = append(r.Differences, d)
		}
	}
	for _, f := range a {
		if slices.Contains(b, f) {
			r.Same = append(r.Same, f)
		}
	}
	for _, side := range []struct {
		name string
		run  *results.Run
	}{{"old", old}, {"new", new}} {
		for _, w := range side.run.Warnings {
			if w != results.TextLacks { // nothing here needs them
				r.Warnings = append(r.Warnings, side.name+": "+w)
			}
		}
	}
}
