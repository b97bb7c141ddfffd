package answers

import (
	"math"
	"slices"

	"golang.org/x/perf/benchmath"
)

// confidence is that of every interval.
const confidence = 0.95

// estimate is the median of values with the interval of the sign test, which
// assumes nothing of their distribution and needs six of them. Values that are
// not finite take no part.
func estimate(values []float64) Estimate {
	finite := make([]float64, 0, len(values))
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			finite = append(finite, v)
		}
	}
	if len(finite) == 0 {
		return Estimate{}
	}
	thresholds := benchmath.DefaultThresholds
	s := benchmath.AssumeNothing.Summary(benchmath.NewSample(finite, &thresholds), confidence)
	e := Estimate{Value: s.Center, N: len(finite)}
	if !math.IsInf(s.Lo, 0) && !math.IsInf(s.Hi, 0) {
		e.Low, e.High = &s.Lo, &s.Hi
	}
	return e
}

// scaled is e in another unit.
func (e Estimate) scaled(by float64) Estimate {
	out := Estimate{Value: e.Value * by, N: e.N}
	if e.Low != nil {
		low, high := *e.Low*by, *e.High*by
		if by < 0 {
			low, high = high, low
		}
		out.Low, out.High = &low, &high
	}
	return out
}

// under is x divided by e, which is positive.
func (e Estimate) under(x float64) Estimate {
	out := Estimate{Value: x / e.Value, N: e.N}
	if e.Low != nil && *e.Low > 0 {
		low, high := x / *e.High, x / *e.Low
		out.Low, out.High = &low, &high
	}
	return out
}

// holds says whether x lies within the interval, or, where there is none,
// whether it is the value.
func (e Estimate) holds(x float64) bool {
	if e.Low == nil {
		return e.Value == x
	}
	return *e.Low <= x && x <= *e.High
}

// overlaps says whether two intervals have a point in common.
func (e Estimate) overlaps(o Estimate) bool {
	if e.Low == nil || o.Low == nil {
		return e.Value == o.Value
	}
	return *e.Low <= *o.High && *o.Low <= *e.High
}

// spread is the half-width of the interval as a share of the value; infinite
// if there is no interval.
func (e Estimate) spread() float64 {
	if e.Low == nil || e.Value == 0 {
		return math.Inf(1)
	}
	return (*e.High - *e.Low) / 2 / math.Abs(e.Value)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
