package compare

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"golang.org/x/perf/benchmath"
)

// tables compares every metric, without deciding yet.
func (p *pair) tables(c Config) ([]Table, error) {
	metrics, err := p.metrics(c)
	if err != nil {
		return nil, err
	}
	var tables []Table
	for _, metric := range metrics {
		t := Table{Metric: metric, Better: p.better(metric)}
		if i := slices.IndexFunc(c.Gates, func(g Gate) bool { return g.Metric == metric }); i >= 0 {
			t.Gate, t.Gated = c.Gates[i].Limit, true
			if t.Better == "" {
				return nil, fmt.Errorf("no gate can be on %s: neither more nor less of it is better, or the files do not say (Unit %s better=lower)", metric, metric)
			}
		}
		for _, b := range p.old.benchmarks {
			if l := p.line(b, metric); l.Old != nil || l.New != nil || t.Gated && !p.without(b, metric) {
				t.Lines = append(t.Lines, l)
			}
		}
		t.Geomean = p.geomean(&t)
		for _, l := range t.lines() {
			mean := l == t.Geomean
			l.gated = t.Gated && !(mean && c.GateOn == OnEach || !mean && c.GateOn == OnGeomean)
			l.tested = l.tested && (l.gated || !t.Gated)
		}
		tables = append(tables, t)
	}
	return tables, nil
}

// line compares one metric of one benchmark.
func (p *pair) line(benchmark, metric string) Line {
	l := Line{Benchmark: benchmark}
	a, b := p.old.values[benchmark][metric], p.new.values[benchmark][metric]
	l.Old, l.New = levelOf(a), levelOf(b)
	if l.Old == nil || l.New == nil {
		l.Reason = p.missing(benchmark, metric)
		return l
	}
	if least(a) <= 0 || least(b) <= 0 {
		l.Reason = "it was 0 or less, which has no ratio"
		return l
	}
	x, y := logs(a).values(), logs(b).values()
	l.Change = &Change{PRank: digits(rank(a, b))}
	if len(x) < 2 || len(y) < 2 {
		l.Change.Percent = percent(meanOf(y) - meanOf(x))
		l.Reason = few(len(x), len(y))
		return l
	}
	l.take(changeOf(x, y), len(x), len(y))
	return l
}

// missing says why one of the runs or both have no value.
func (p *pair) missing(benchmark, metric string) string {
	inOld, inNew := len(p.old.values[benchmark][metric]) > 0, len(p.new.values[benchmark][metric]) > 0
	why, run := p.new.missing(benchmark, metric, "the new run"), "the new run"
	if inNew || !inOld && why == "" {
		why, run = p.old.missing(benchmark, metric, "the old run"), "the old run"
	}
	switch {
	case why != "":
		return why
	case !inOld && !inNew:
		return "in neither run"
	}
	return "not in " + run
}

// take fills in a change of n1 and n2 repetitions.
func (l *Line) take(c change, n1, n2 int) {
	l.seen = c
	l.Change.Percent = percent(c.log)
	l.Change.Spread = percent(c.spread)
	l.tested = min(n1, n2) >= leastRepetitions
	if !l.tested {
		l.Reason = few(n1, n2)
	}
}

func few(n1, n2 int) string {
	return fmt.Sprintf("%d and %d repetitions: nothing is decided with fewer than %d", n1, n2, leastRepetitions)
}

// geomean compares the geometric means over all benchmarks whose change is known, or returns nil.
func (p *pair) geomean(t *Table) *Line {
	var old, new []series
	var a, b []float64 // medians
	for _, l := range t.Lines {
		if l.Change == nil || l.seen == (change{}) {
			continue
		}
		old = append(old, logs(p.old.values[l.Benchmark][t.Metric]))
		new = append(new, logs(p.new.values[l.Benchmark][t.Metric]))
		a, b = append(a, math.Log(l.Old.Median)), append(b, math.Log(l.New.Median))
	}
	if len(old) < 2 {
		return nil
	}
	c, n1, n2 := meanChange(old, new)
	l := &Line{Benchmark: fmt.Sprintf("geomean of %d", len(old)), Change: &Change{}}
	l.Old = &Level{Median: digits(math.Exp(meanOf(a))), N: n1}
	l.New = &Level{Median: digits(math.Exp(meanOf(b))), N: n2}
	l.take(c, n1, n2)
	return l
}

// levelOf sums up values, of which there may be none.
func levelOf(values map[int]float64) *Level {
	if len(values) == 0 {
		return nil
	}
	ordered := sample(values)
	sum := benchmath.AssumeNothing.Summary(ordered, 0.95)
	all := ordered.Values
	l := &Level{Median: sum.Center, N: len(values), zero: all[0] == 0 && all[len(all)-1] == 0}
	if !math.IsInf(sum.Lo, 0) && !math.IsInf(sum.Hi, 0) {
		l.Low, l.High = &sum.Lo, &sum.Hi
	}
	return l
}

func sample(values map[int]float64) *benchmath.Sample {
	thresholds := benchmath.DefaultThresholds
	return benchmath.NewSample(slices.Collect(maps.Values(values)), &thresholds) // it sorts
}

// rank is the p-value of the Mann-Whitney U test.
func rank(a, b map[int]float64) float64 {
	return benchmath.AssumeNothing.Compare(sample(a), sample(b)).P
}

func least(values map[int]float64) float64 {
	return slices.Min(slices.Collect(maps.Values(values)))
}

func logs(values map[int]float64) series {
	s := series{}
	for r, v := range values {
		s[r] = math.Log(v)
	}
	return s
}

func meanOf(x []float64) (m float64) {
	for _, v := range x {
		m += v / float64(len(x))
	}
	return m
}

// percent makes of the logarithm of a ratio the change in percent.
func percent(log float64) float64 { return digits(100 * math.Expm1(log)) }
