package compare

import (
	"cmp"
	"slices"
)

// A test asks on which side of a bound (a logarithm) a change lies.
type test struct {
	change
	bound float64
}

// An outcome is a test's answer. Low and high bound the change: the interval
// lies wholly on one side of the test's bound if and only if that side is the answer.
type outcome struct {
	below, above bool
	low, high    float64
	lowLevel     float64 // share of cases in which low errs
	highLevel    float64
	p            float64 // two-sided, corrected: at most alpha if and only if it is decided
}

// decide answers a family of tests so that a wrong answer to any of them, in
// either direction, has a probability of at most alpha, however they depend on
// each other: Holm's step-down procedure over all answers "below" at alpha/2,
// and over all answers "above" at alpha/2 (Holm 1979). The ends of an interval
// are those of the level at which Holm's procedure tests its side.
func decide(tests []test, alpha float64) []outcome {
	n := len(tests)
	below, above := make([]float64, n), make([]float64, n)
	for i, t := range tests {
		below[i], above[i] = t.below(t.bound), t.above(t.bound)
	}
	lows, highs := holm(above, alpha/2), holm(below, alpha/2)
	out := make([]outcome, n)
	for i, t := range tests {
		out[i] = outcome{
			below:    highs[i].rejected,
			above:    lows[i].rejected,
			low:      t.log - t.reach(lows[i].level),
			high:     t.log + t.reach(highs[i].level),
			lowLevel: lows[i].level, highLevel: highs[i].level,
			p: min(1, 2*min(highs[i].p, lows[i].p)),
		}
	}
	return out
}

// A step is what Holm's procedure says of one hypothesis.
type step struct {
	rejected bool
	level    float64 // at which it was tested
	p        float64 // corrected
}

// holm tests hypotheses by their p-values, the smallest first, at alpha over
// the number of those not yet rejected, and stops at the first that stands.
func holm(p []float64, alpha float64) []step {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	out := make([]step, len(p))
	stands, level, least := false, 0.0, 0.0
	for k, i := range order {
		left := float64(len(p) - k)
		if !stands {
			level = alpha / left
			stands = p[i] > level
		}
		least = min(1, max(least, p[i]*left))
		out[i] = step{rejected: !stands, level: level, p: least}
	}
	return out
}
