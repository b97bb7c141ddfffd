package compare

import (
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

const (
	// resolution is the spread (of the logarithm) that rounding to the four
	// digits of a benchmark line makes at worst: 1.000 to 1.001, uniform.
	// No sample is taken to be quieter, so that no interval has zero width.
	resolution = 1e-3 / 3.4641016151377544 // sqrt 12
	// leastRepetitions of either side decide anything: a spread of fewer is a
	// guess, and then a server with two modes looks like two servers.
	leastRepetitions = 5
)

// A change is the logarithm of new/old, of the geometric means, with its uncertainty.
type change struct {
	log    float64
	se     float64 // standard error of log
	df     float64 // degrees of freedom of se
	spread float64 // of one repetition, as a standard deviation of the logarithm; of both sides pooled
}

// changeOf compares two samples of logarithms, of two values each at least.
//
// The standard error is the larger of Welch's, which lets the sides spread
// differently, and the pooled one, which a small side cannot make too small
// by chance; with equal numbers they are the same. Degrees of freedom are
// Welch's (Welch 1947, Satterthwaite 1946).
func changeOf(old, new []float64) change {
	m1, v1 := stat.MeanVariance(old, nil)
	m2, v2 := stat.MeanVariance(new, nil)
	return combine(m2-m1, max(v1, resolution*resolution), max(v2, resolution*resolution), float64(len(old)), float64(len(new)))
}

// combine makes a change of a difference of means, the variances and numbers of both samples.
func combine(log, v1, v2, n1, n2 float64) change {
	q1, q2 := v1/n1, v2/n2
	v := ((n1-1)*v1 + (n2-1)*v2) / (n1 + n2 - 2)
	return change{
		log:    log,
		se:     math.Sqrt(max(q1+q2, v/n1+v/n2)),
		df:     (q1 + q2) * (q1 + q2) / (q1*q1/(n1-1) + q2*q2/(n2-1)),
		spread: math.Sqrt(v),
	}
}

// below is the probability of a change as low as this one or lower if the true one were bound.
func (c change) below(bound float64) float64 {
	return distuv.StudentsT{Sigma: 1, Nu: c.df}.CDF((c.log - bound) / c.se)
}

// above is the probability of a change as high as this one or higher if the true one were bound.
func (c change) above(bound float64) float64 {
	return distuv.StudentsT{Sigma: 1, Nu: c.df}.CDF((bound - c.log) / c.se)
}

// reach is how far an end of the interval lies from the middle if it errs in a share level of cases.
func (c change) reach(level float64) float64 {
	return -c.se * distuv.StudentsT{Sigma: 1, Nu: c.df}.Quantile(level)
}

// A series is the logarithms of one benchmark's values by repetition.
type series map[int]float64

func (s series) values() []float64 {
	out := make([]float64, 0, len(s))
	for _, r := range slices.Sorted(maps.Keys(s)) {
		out = append(out, s[r])
	}
	return out
}

// meanChange is the change of the geometric mean over benchmarks, all of which
// have two values at least on both sides. Repetitions are rounds over all
// benchmarks, and what disturbs a round disturbs several of them, so the round
// and not the value is what varies: the variance is that of the rounds'
// contributions to the mean. n1 and n2 are the numbers of rounds.
func meanChange(old, new []series) (c change, n1, n2 int) {
	m1, v1, n1 := rounds(old)
	m2, v2, n2 := rounds(new)
	return combine(m2-m1, v1, v2, float64(n1), float64(n2)), n1, n2
}

// rounds returns the mean over benchmarks of their means, the variance of a
// round's mean, and the number of rounds. A round that lacks a benchmark
// contributes what it has.
func rounds(all []series) (mean, variance float64, rounds int) {
	parts := map[int]float64{} // of each round, to the mean's deviation
	k := float64(len(all))
	for _, s := range all {
		m := stat.Mean(s.values(), nil)
		mean += m / k
		for r, x := range s {
			parts[r] += (x - m) / k / float64(len(s))
		}
	}
	var sum float64
	for _, p := range parts {
		sum += p * p
	}
	n := float64(len(parts))
	// sum n/(n-1) estimates the variance of the mean, which is that of a round over n.
	variance = max(sum*n*n/(n-1), resolution*resolution/k)
	return mean, variance, len(parts)
}
