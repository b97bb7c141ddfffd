package load

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

const (
	// maxArrivals bounds a schedule, which is drawn as a whole: 80 MB.
	maxArrivals = 10_000_000

	// maxLength bounds it in time, far below what a time.Duration can hold.
	maxLength = 366 * 24 * time.Hour

	// Arrivals less bursty than the one are even to 0.01 % of a gap; of those
	// burstier than the other, most gaps are too short for a float64.
	minBurstiness, maxBurstiness = 0.01, 1e8
)

// A Schedule says when requests are sent: the times since the loop's start, in order.
type Schedule []time.Duration

// A Phase is a stretch of time in which the rate is constant, or goes in a
// straight line from one value to another.
type Phase struct {
	// From and To are the rates at its begin and end, in requests a second.
	// 0 is a pause, or the foot of a ramp.
	From, To float64

	// For is its length.
	For time.Duration
}

// mean is the number of arrivals that the phase asks for. The conversion, as those
// below, keeps a compiler from fusing operations, which would give other last
// digits on other processors.
func (p Phase) mean() float64 { return float64((p.From + p.To) / 2 * p.For.Seconds()) }

// at is when the expected number of arrivals since the phase's begin reaches
// n: the root of From t + (To-From)/For t²/2 = n, in a form that holds for a
// constant rate too.
func (p Phase) at(n float64) time.Duration {
	if n <= 0 {
		return 0
	}
	slope := (p.To - p.From) / p.For.Seconds()
	square := float64(p.From*p.From) + float64(2*slope*n)
	t := 2 * n / (p.From + math.Sqrt(max(square, 0)))
	return min(time.Duration(math.Round(t*1e9)), p.For)
}

// Arrivals describes a schedule, by the rates of its phases or as a list of times.
type Arrivals struct {
	// Phases follow one another. Either they are given, or Times.
	Phases []Phase

	// Times are the arrivals themselves, in order, since the loop's start.
	Times []time.Duration

	// Burstiness is the shape of the gamma distribution that the gaps between
	// arrivals are drawn from, as in vllm bench serve: 1 gives Poisson arrivals,
	// less gives burstier ones, +Inf even ones. Gaps vary by 1/sqrt(Burstiness)
	// of their mean. 0 means 1.
	Burstiness float64

	// Seed fixes what is drawn: the same seed gives the same schedule. Where a
	// processor fuses operations in the drawing of gammas, times may
	// differ from another processor's by a rounding.
	Seed uint64
}

// Schedule draws the schedule.
//
// The phases ask for N arrivals (the integral of the rate, rounded), and N
// there are: the gaps are drawn in units of the expected number of arrivals, N+1 of
// them, and scaled so that they fill the phases. Poisson arrivals are then
// those of a Poisson process that happened to have N, so that each seed offers
// the server the same load. Even arrivals keep half a gap from either end.
func (a Arrivals) Schedule() (Schedule, error) {
	if len(a.Times) > 0 {
		return a.listed()
	}
	mean, err := a.mean()
	if err != nil {
		return nil, err
	}
	s := make(Schedule, 0, int(math.Round(mean)))
	var begin time.Duration
	var before float64 // arrivals expected before the phase
	phases := a.Phases
	for _, n := range a.draw(cap(s), mean) {
		for len(phases) > 1 && n-before >= phases[0].mean() {
			before += phases[0].mean()
			begin += phases[0].For
			phases = phases[1:]
		}
		s = append(s, begin+phases[0].at(n-before))
	}
	return s, nil
}

// draw places n arrivals between 0 and end.
func (a Arrivals) draw(n int, end float64) []float64 {
	at := make([]float64, n)
	if math.IsInf(a.Burstiness, 1) {
		for i := range at {
			at[i] = (float64(i) + 0.5) * end / float64(n)
		}
		return at
	}
	shape := a.Burstiness
	if shape == 0 {
		shape = 1
	}
	gap := distuv.Gamma{Alpha: shape, Beta: shape, Src: rand.NewPCG(a.Seed, 0)}
	sum := 0.0
	for i := range at {
		sum += gap.Rand()
		at[i] = sum
	}
	sum = max(sum+gap.Rand(), math.SmallestNonzeroFloat64) // few gaps and bursty ones may all be 0
	for i := range at {
		at[i] *= end / sum
	}
	return at
}

// mean is the number of arrivals that all phases ask for, after a check of all that was set.
func (a Arrivals) mean() (float64, error) {
	if b := a.Burstiness; b != 0 && !math.IsInf(b, 1) && !(b >= minBurstiness && b <= maxBurstiness) {
		return 0, fmt.Errorf("a burstiness of %v is not between %v and %v: 1 is Poisson, inf is even", b, minBurstiness, maxBurstiness)
	}
	mean, left := 0.0, maxLength
	for i, p := range a.Phases {
		for _, rate := range []float64{p.From, p.To} {
			if !(rate >= 0 && rate <= maxArrivals) {
				return 0, fmt.Errorf("phase %d has a rate of %v requests a second: from 0 to %d can be asked for", i+1, rate, maxArrivals)
			}
		}
		if p.For <= 0 || p.For > left {
			return 0, fmt.Errorf("phase %d lasts %v: a phase takes time, and all of them at most %v", i+1, p.For, maxLength)
		}
		left -= p.For
		mean += p.mean()
	}
	switch {
	case mean > maxArrivals:
		return 0, fmt.Errorf("the phases ask for %.0f arrivals, and %d is the most: shorten them, or lower the rate", mean, maxArrivals)
	case mean < 0.5:
		return 0, errors.New("the phases ask for no arrival: lengthen them, or raise the rate")
	}
	return mean, nil
}

// listed checks the times as they are given.
func (a Arrivals) listed() (Schedule, error) {
	switch {
	case len(a.Phases) > 0:
		return nil, errors.New("the schedule has times and phases: give either")
	case a.Burstiness != 0:
		return nil, errors.New("the schedule is a list of times, so no burstiness applies: leave it out")
	}
	before := time.Duration(0)
	for i, at := range a.Times {
		if at < before || at > maxLength {
			return nil, fmt.Errorf("arrival %d is at %v: times are in order, from 0 to %v", i+1, at, maxLength)
		}
		before = at
	}
	return a.Times, nil
}
