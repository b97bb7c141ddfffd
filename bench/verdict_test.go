package bench

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/stretchr/testify/assert"

	"vllmbench/internal/measure"
)

// starvedRuns is the number of clean runs, and of starved ones, of TestStarved.
var starvedRuns int

func init() {
	flag.IntVar(&starvedRuns, "starved", 0, "clean and starved `runs` of TestStarved")
}

// tolerances say how far beyond the clean runs a metric may lie before it
// counts as changed: a share of their median, and at least an absolute amount.
var tolerances = []struct {
	metric       string
	share, least float64
}{
	{"tok/s", 0.02, 0},
	{"total-tok/s", 0.02, 0},
	{"req/s", 0.02, 0},
	{"p50-ttft-ns", 0.05, 1e6},
	{"mean-ttft-ns", 0.05, 1e6},
	{"p50-itl-ns", 0.02, 0},
	{"p90-itl-ns", 0.02, 0.1e6},
	{"p99-itl-ns", 0.05, 0.1e6},
	{"mean-itl-ns", 0.02, 0},
	{"p50-tpot-ns", 0.02, 0},
	{"mean-tpot-ns", 0.02, 0},
	{"p50-e2e-ns", 0.02, 1e6},
	{"mean-e2e-ns", 0.02, 1e6},
}

// A verdict is how the rules did on clean and on starved runs.
type verdict struct {
	clean, starved []measure.Row
	untrue         []string // a clean run is void or lacks a metric
	missed         []string // a starved run shows a metric that changed
}

// judge calls a metric changed that lies by more than its tolerance outside the
// middle nine tenths of the clean runs: what moves without starving proves nothing.
func judge(clean, starved []measure.Row) *verdict {
	v := &verdict{clean: clean, starved: starved}
	for i, row := range clean {
		for _, why := range row.Void {
			v.untrue = append(v.untrue, fmt.Sprintf("clean run %d is void: %s", i+1, why))
		}
		for _, l := range row.LeftOut {
			if ofTolerances(l.Metric) && l.Rule != "samples" {
				v.untrue = append(v.untrue, fmt.Sprintf("clean run %d lacks %s: %s", i+1, l.Metric, l.Reason))
			}
		}
	}
	for _, tol := range tolerances {
		is := shownBy(clean, tol.metric)
		if len(is) == 0 {
			continue
		}
		mid, low, high := is[len(is)/2], is[len(is)/20], is[len(is)-1-len(is)/20]
		off := max(tol.share*mid, tol.least)
		for i, row := range starved {
			got, ok := row.Value(tol.metric)
			if ok && (got < low-off || got > high+off) {
				v.missed = append(v.missed, fmt.Sprintf("starved run %d shows %s %.4g, clean runs %.4g (%.4g to %.4g)", i+1, tol.metric, got, mid, low, high))
			}
		}
	}
	return v
}

func ofTolerances(metric string) bool {
	for _, tol := range tolerances {
		if tol.metric == metric {
			return true
		}
	}
	return false
}

// shownBy returns the metric's values, sorted, in the rows that show it.
func shownBy(rows []measure.Row, metric string) (out []float64) {
	for _, r := range rows {
		if v, ok := r.Value(metric); ok {
			out = append(out, v)
		}
	}
	slices.Sort(out)
	return out
}

// table tells of each metric its median and range, and in how many runs it was left out by which rules.
func (v *verdict) table() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "metric\tclean: median (range)\tleft out\tstarved: median (range) of those shown\tleft out")
	var metrics []string
	for _, tol := range tolerances {
		metrics = append(metrics, tol.metric)
	}
	for _, m := range append(metrics, "engine-ttft-ns", "engine-itl-ns", "egress-ttft-ns", "p50-lag-ns", "p99-lag-ns", "merged-%", "turnaround-%", "in-flight") {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", m, spanOf(v.clean, m), omittedBy(v.clean, m), spanOf(v.starved, m), omittedBy(v.starved, m))
	}
	w.Flush()
	return b.String()
}

func spanOf(rows []measure.Row, metric string) string {
	is := shownBy(rows, metric)
	if len(is) == 0 {
		return "-"
	}
	scale, unit := 1.0, ""
	if strings.HasSuffix(metric, "-ns") {
		scale, unit = 1e6, " ms"
	}
	return fmt.Sprintf("%.3g (%.3g to %.3g)%s", is[len(is)/2]/scale, is[0]/scale, is[len(is)-1]/scale, unit)
}

func omittedBy(rows []measure.Row, metric string) string {
	runs, rules := 0, []string{}
	for _, r := range rows {
		for _, l := range r.LeftOut {
			if l.Metric == metric {
				runs++
				rules = append(rules, l.Rule)
			}
		}
	}
	slices.Sort(rules)
	return strings.TrimSpace(fmt.Sprintf("%d of %d %s", runs, len(rows), strings.Join(slices.Compact(rules), ", ")))
}

func TestJudge(t *testing.T) {
	row := func(tok, itl float64) measure.Row {
		return measure.Row{Values: []measure.Value{{Metric: "tok/s", Value: tok}, {Metric: "p50-itl-ns", Value: itl}}}
	}
	clean := []measure.Row{row(100, 10e6), row(101, 10e6), row(95, 10e6)}
	v := judge(clean, []measure.Row{row(96, 10.1e6), row(93.5, 9.9e6)})
	assert.Empty(t, v.untrue)
	assert.Empty(t, v.missed, "within the tolerance of what clean runs show")

	v = judge(clean, []measure.Row{row(92, 10.3e6)})
	assert.Len(t, v.missed, 2)
	omitted := measure.Row{LeftOut: []measure.LeftOut{{Metric: "tok/s", Rule: "turnaround", Reason: "held back"}, {Metric: "p50-itl-ns", Rule: "samples"}}}
	v = judge(append(clean, omitted), []measure.Row{omitted})
	assert.Equal(t, []string{"clean run 4 lacks tok/s: held back"}, v.untrue)
	assert.Empty(t, v.missed, "what is left out is not shown")
	assert.Contains(t, v.table(), "1 of 1 turnaround")
}
