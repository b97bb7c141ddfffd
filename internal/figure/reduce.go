package figure

import (
	"fmt"
	"math"
)

const (
	// tolerance is the share of the samples, and of a value, by which reduction may move a quantile.
	tolerance = 0.0025
	// exactTail is how many of the largest samples are grouped by value only.
	exactTail = 100
)

// marked are the quantiles that are marked, in percent.
var marked = []int{50, 90, 99}

// tail is the number of samples that must lie beyond a quantile above the
// median to bound it, as measure has it by default.
const tail = 10

// bounds says whether n samples bound the q % quantile.
func bounds(q, n int) bool {
	return q <= 50 && n > 0 || float64(n)*float64(100-q) >= 100*tail
}

// rank is the nearest rank of the q % quantile of n samples, from 1.
func rank(q, n int) int { return max(1, int(math.Ceil(float64(q)/100*float64(n)))) }

// ecdf is the empirical distribution of sorted samples as steps: at each X the
// share in percent rises to Y. Each step stands for a group of neighbouring
// samples by the middle one of them, so that every quantile that is read from
// the steps lies within tolerance of the true one: by its rank or by its value.
// The smallest and the largest sample and the marked quantiles are steps of their own.
func ecdf(sorted []float64, unit string) (steps []Point) {
	n := len(sorted)
	own := map[int]string{1: "", n: ""}
	for _, q := range marked {
		if bounds(q, n) {
			r := rank(q, n)
			own[r] = fmt.Sprintf("p%d %s %s", q, num(sorted[r-1]), unit)
		}
	}
	for from := 1; from <= n; {
		to, label := from, ""
		if text, ok := own[from]; ok {
			label = text
		} else {
			to = groupEnd(sorted, from, own)
		}
		middle := sorted[(from+to)/2-1]
		steps = append(steps, Point{X: digits(middle, 5), Y: digits(100*float64(to)/float64(n), 6), Label: label})
		from = to + 1
	}
	return steps
}

// groupEnd is the last rank of the group that begins at rank from.
func groupEnd(sorted []float64, from int, own map[int]string) int {
	n := len(sorted)
	to := from
	for to < n {
		next := to + 1
		if _, ok := own[next]; ok {
			break
		}
		near := sorted[next-1]-sorted[from-1] <= tolerance*sorted[from-1]
		half := float64(next-from+1) / 2
		if !near && (half > tolerance*float64(n) || next > n-exactTail) {
			break
		}
		to = next
	}
	return to
}
