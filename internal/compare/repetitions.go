package compare

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

const (
	power          = 0.9  // with which the repetitions that are named decide
	spreadsBound   = 0.8  // confidence of the upper bound of a seen spread
	mostSuggested  = 1000 // repetitions; beyond it other means are better
	undeterminable = mostSuggested + 1
)

// Needed is the smallest number of repetitions of either side with which a
// change that lies distance from a bound is told from it with a probability
// of 90 %, by an interval each of whose ends errs in a share level of cases.
// distance and spread (the standard deviation of one repetition) are of
// logarithms. It is above 1000 if 1000 are too few. The power is that of the
// t-test: T has a noncentral t distribution with 2n-2 degrees of freedom.
func Needed(distance, spread, level float64) int {
	decides := func(n int) bool {
		df := float64(2*n - 2)
		limit := -distuv.StudentsT{Sigma: 1, Nu: df}.Quantile(level)
		decided := distuv.NoncentralT{Nu: df, Mu: math.Abs(distance) / spread * math.Sqrt(float64(n)/2)}
		return 1-decided.CDF(limit) >= power
	}
	if !decides(mostSuggested) {
		return undeterminable
	}
	low, high := leastRepetitions-1, mostSuggested // high decides; low does not, or is too few
	for high-low > 1 {
		if mid := (low + high) / 2; decides(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	return high
}

// cautious is the spread below which the true one lies with 80 % confidence:
// that of a few repetitions is itself uncertain, and a count that is right for
// it would be too small every other time.
func (c change) cautious() float64 {
	return c.spread * math.Sqrt(c.df/distuv.ChiSquared{K: c.df}.Quantile(1-spreadsBound))
}
