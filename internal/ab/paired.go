package ab

import (
	"math"
	"slices"

	"golang.org/x/perf/benchmath"
)

// A Change is the ratio of B to A in one metric: the geometric mean over the
// benchmarks that have the metric in every leg.
//
// Each block gives one ratio, of its two legs of B to its two of A, in which
// drift along a line cancels. The interval is Student's, of the mean of the
// blocks' logarithms; it takes them for independent and about normal. Other
// than a comparison of two samples it does not count drift as noise.
type Change struct {
	Metric         string
	Better         string  // "higher" or "lower"
	Ratio          float64 // of B to A; 0 if Benchmarks is 0
	Lo, Hi         float64 // its interval at 95 %; 0 and +Inf from one block
	Benchmarks, Of int     // that have the metric in every leg, of those that have it in any
}

// Decided says whether the interval excludes "no change".
func (c Change) Decided() bool { return c.Benchmarks > 0 && (c.Lo > 1 || c.Hi < 1) }

// confidence is the level of a Change's interval.
const confidence = 0.95

// changes compares both sides in each metric that has a better direction.
func changes(both [2]legs) (out []Change) {
	for _, d := range both[0][0].better {
		c := Change{Metric: d.metric, Better: d.better}
		logs := map[int]float64{} // sum over benchmarks, by block
		for _, name := range benchmarkNames(both, c.Metric) {
			c.Of++
			if ratios, ok := blockRatios(both, name, c.Metric); ok {
				c.Benchmarks++
				for block, log := range ratios {
					logs[block] += log
				}
			}
		}
		if c.Benchmarks > 0 {
			c.estimate(logs)
		}
		if c.Of > 0 {
			out = append(out, c)
		}
	}
	return out
}

// estimate takes each block's sum of logarithms over c.Benchmarks.
func (c *Change) estimate(logs map[int]float64) {
	var values []float64
	for _, sum := range logs {
		values = append(values, sum/float64(c.Benchmarks))
	}
	s := benchmath.AssumeNormal.Summary(benchmath.NewSample(values, &benchmath.DefaultThresholds), confidence) // sorts values
	c.Ratio, c.Lo, c.Hi = math.Exp(s.Center), math.Exp(s.Lo), math.Exp(s.Hi)
	if len(values) == 1 {
		c.Lo, c.Hi = 0, math.Inf(1)
	}
}

// blockRatios returns, by block, the logarithm of the ratio of B to A in one
// benchmark, or false if a leg has no value above 0.
func blockRatios(both [2]legs, name, metric string) (map[int]float64, bool) {
	logs := map[int]float64{}
	for side, legs := range both {
		for _, l := range legs {
			v, ok := l.value(name, metric)
			if !ok || v <= 0 {
				return nil, false
			}
			logs[l.block] += float64(2*side-1) * math.Log(v) / 2 // two legs a side
		}
	}
	return logs, true
}

// value is that of one benchmark's metric.
func (o *output) value(name, metric string) (float64, bool) {
	for _, r := range o.results {
		if r.name != name {
			continue
		}
		for _, v := range r.values {
			if v.unit == metric {
				return v.number, true
			}
		}
	}
	return 0, false
}

// benchmarkNames are those that have the metric in any leg, in order.
func benchmarkNames(both [2]legs, metric string) (out []string) {
	for _, legs := range both {
		for _, l := range legs {
			for _, r := range l.results {
				_, has := l.value(r.name, metric)
				if has && !slices.Contains(out, r.name) {
					out = append(out, r.name)
				}
			}
		}
	}
	return out
}
