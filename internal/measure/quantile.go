package measure

import (
	"math"
	"slices"
	"time"
)

// A sample is a set of durations, each of one event or request.
type sample []time.Duration

// quantile returns the q % quantile by nearest rank, so that it is a value
// that occurred. s must be sorted and not empty.
func (s sample) quantile(q int) time.Duration {
	rank := int(math.Ceil(float64(q) / 100 * float64(len(s))))
	return s[max(rank, 1)-1]
}

// around returns the q % quantile and the values n places below and above it,
// or the least and the greatest. s must be sorted and not empty.
func (s sample) around(q, n int) (low, at, high time.Duration) {
	rank := int(math.Ceil(float64(q) / 100 * float64(len(s))))
	i := max(rank, 1) - 1
	return s[max(i-n, 0)], s[i], s[min(i+n, len(s)-1)]
}

// needs is the number of samples that bound the q % quantile: a median takes
// any, a quantile above it needs tail samples beyond it.
func needs(q int, tail float64) int {
	if q <= 50 {
		return 1
	}
	return int(math.Ceil(tail * 100 / float64(100-q)))
}

func (s sample) mean() float64 {
	if len(s) == 0 {
		return 0
	}
	return s.sum() / float64(len(s))
}

func (s sample) sum() float64 {
	sum := 0.0
	for _, d := range s {
		sum += float64(d)
	}
	return sum
}

func (s sample) sort() sample {
	slices.Sort(s)
	return s
}
