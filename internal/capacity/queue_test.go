package capacity

import (
	"context"
	"math"
	"math/rand/v2"
)

// A queue is a server with one slot, in units of its mean service time: its
// requests come at random at a rate, and wait in order. A request meets its objective if it waits bound or less.
type queue struct {
	rng         *rand.Rand
	exponential bool // services, else all are 1
	bound       float64
	ramp, n     int // requests that do not count, and that do
}

// measure is a probe of that queue, by Lindley's recursion.
func (q *queue) measure(_ context.Context, load float64) (Window, error) {
	w := Window{Requests: q.n}
	wait := 0.0
	for i := range q.ramp + q.n {
		if i >= q.ramp && wait <= q.bound {
			w.Met++
		}
		service := 1.0
		if q.exponential {
			service = q.rng.ExpFloat64()
		}
		wait = max(0, wait+service-q.rng.ExpFloat64()/load)
	}
	return w, nil
}

// share is the long-run share of waits up to bound: exponential for M/M/1,
// Erlang's sum for M/D/1.
func (q *queue) share(load float64) float64 {
	if load >= 1 {
		return 0
	}
	if q.exponential {
		return 1 - load*math.Exp(-(1-load)*q.bound)
	}
	sum, term := 0.0, 1.0
	for k := 0; float64(k) <= q.bound; k++ {
		late := load * (float64(k) - q.bound) // at most 0
		term = 1
		for i := 1; i <= k; i++ {
			term *= late / float64(i)
		}
		sum += term * math.Exp(-late)
	}
	return (1 - load) * sum
}

// capacity is the load at which share is target, by bisection.
func (q *queue) capacity(target float64) float64 {
	low, high := 0.0, 1.0
	for range 60 {
		if mid := (low + high) / 2; q.share(mid) >= target {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}
