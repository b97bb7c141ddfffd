package compare

import (
	"fmt"
	"slices"
	"strconv"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchproc"

	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// samples are the rows of one run that a filter lets through.
type samples struct {
	benchmarks []string                              // in the order in which they first ran
	values     map[string]map[string]map[int]float64 // by benchmark, metric and repetition
	cells      map[string]measure.Cell
	slos       map[string]string            // what goodput was measured by; absent if the run does not tell
	leftOut    map[string]map[string]string // reasons by benchmark and metric
	grew       map[string]map[string]int    // repetitions that lack the metric since the queue grew
	void       []Void
	rows       int // valid ones
}

// collect reads the rows of run that filter matches, but for the probes of a
// search, whose loads each run chose for itself: its answer is compared. In the filter's syntax
// keys are those of benchproc, and besides: side (old or new) and repetition.
func collect(run *results.Run, side string, filter *benchproc.Filter) *samples {
	s := &samples{
		values: map[string]map[string]map[int]float64{}, cells: map[string]measure.Cell{}, slos: map[string]string{}, grew: map[string]map[string]int{}, leftOut: map[string]map[string]string{},
	}
	var all []benchfmt.Value
	for i := range run.Rows {
		for _, v := range run.Rows[i].Measured.Values {
			if !slices.ContainsFunc(all, func(have benchfmt.Value) bool { return have.Unit == v.Metric }) {
				all = append(all, benchfmt.Value{Unit: v.Metric})
			}
		}
	}
	for i := range run.Rows {
		m := &run.Rows[i].Measured
		if m.Experiment == probes {
			continue
		}
		res := result(&run.Rows[i], side, all)
		// The error is for filters that a projection made.
		if ok, _ := filter.Apply(res); !ok {
			continue
		}
		s.add(&run.Rows[i], res.Values)
		if m.SLO != "" {
			s.slos[m.Name] = m.SLO
			if share := run.Header.Flags["slo-share"]; m.Experiment == searches {
				s.slos[m.Name] += " for " + share + " %"
			}
		}
	}
	return s
}

// result is a row as benchproc knows it. To a void row it gives the metrics
// that any row has, so that a filter on units does not hide it.
func result(row *results.Row, side string, all []benchfmt.Value) *benchfmt.Result {
	m := &row.Measured
	res := &benchfmt.Result{Name: benchfmt.Name(m.Name), Iters: m.Ops}
	res.SetConfig("side", side)
	res.SetConfig("repetition", strconv.Itoa(row.Repetition))
	for _, v := range m.Values {
		res.Values = append(res.Values, benchfmt.Value{Value: v.Value, Unit: v.Metric})
	}
	if len(m.Void) > 0 {
		res.Values = slices.Clone(all)
	}
	return res
}

func (s *samples) add(row *results.Row, kept []benchfmt.Value) {
	m := &row.Measured
	if !slices.Contains(s.benchmarks, m.Name) {
		s.benchmarks = append(s.benchmarks, m.Name)
		s.values[m.Name], s.leftOut[m.Name], s.grew[m.Name] = map[string]map[int]float64{}, map[string]string{}, map[string]int{}
		s.cells[m.Name] = m.Cell
	}
	if len(m.Void) > 0 {
		s.addVoid(m.Name, m.Void)
		return
	}
	s.rows++
	for _, v := range kept {
		if s.values[m.Name][v.Unit] == nil {
			s.values[m.Name][v.Unit] = map[int]float64{}
		}
		s.values[m.Name][v.Unit][row.Repetition] = v.Value
	}
	for _, l := range m.LeftOut {
		if s.leftOut[m.Name][l.Metric] == "" {
			s.leftOut[m.Name][l.Metric] = l.Reason
		}
		if l.Rule == growth {
			s.grew[m.Name][l.Metric]++
		}
	}
}

func (s *samples) addVoid(benchmark string, reasons []string) {
	i := slices.IndexFunc(s.void, func(v Void) bool { return v.Benchmark == benchmark })
	if i < 0 {
		i = len(s.void)
		s.void = append(s.void, Void{Benchmark: benchmark})
	}
	v := &s.void[i]
	v.Rows++
	for _, r := range reasons {
		if !slices.Contains(v.Reasons, r) {
			v.Reasons = append(v.Reasons, r)
		}
	}
}

// missing says why the benchmark has no value of metric, or "" if the run does not tell.
func (s *samples) missing(benchmark, metric, run string) string {
	for _, v := range s.void {
		if v.Benchmark == benchmark && len(s.values[benchmark]) == 0 {
			return fmt.Sprintf("void in %s: %s", run, v.Reasons[0])
		}
	}
	if reason := s.leftOut[benchmark][metric]; reason != "" {
		return fmt.Sprintf("left out in %s: %s", run, reason)
	}
	return ""
}

// has says whether any benchmark has the metric.
func (s *samples) has(metric string) bool {
	for _, metrics := range s.values {
		if len(metrics[metric]) > 0 {
			return true
		}
	}
	return false
}
