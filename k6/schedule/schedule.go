// Package schedule says when k6's arrival-rate executors want each iteration begun.
//
// k6 tells a script when its scenario began and the number of its iteration,
// but not when that was due. Its executors derive that from the two by a fixed
// rule, so the rule is written down here once more, with the striping by
// which instances share a scenario.
package schedule

import (
	"math"
	"time"

	"go.k6.io/k6/lib"
	"go.k6.io/k6/lib/executor"
)

// A Schedule is when the iterations of one scenario are due in one instance,
// since the scenario's begin.
type Schedule struct {
	period time.Duration // of the whole scenario at a constant rate; 0: the rate goes by stages
	stages []stage
	length time.Duration
	start  int64   // the instance's first iteration, of the whole scenario's
	steps  []int64 // from each to its next, again and again
}

// A stage is a stretch in which the rate goes in a straight line.
type stage struct {
	from, to float64 // iterations a second of the whole scenario
	length   float64 // seconds
}

// iterations is the number that the stage asks for.
func (s stage) iterations() float64 { return (s.from + s.to) / 2 * s.length }

// reach is after how many seconds n iterations are asked for, of those that the stage
// has: the root of from t + (to-from)/length t²/2 = n that lies in it.
func (s stage) reach(n float64) float64 {
	slope := (s.to - s.from) / s.length
	return 2 * n / (s.from + math.Sqrt(max(0, s.from*s.from+2*slope*n)))
}

// Of returns the schedule of an arrival-rate scenario in the instance that runs
// the segment of whole, and nil for a scenario of another executor.
func Of(config lib.ExecutorConfig, whole *lib.ExecutionTuple) (*Schedule, error) {
	s := &Schedule{}
	var vus int64
	switch c := config.(type) {
	case *executor.ConstantArrivalRateConfig:
		vus, s.length = c.MaxVUs.Int64, c.Duration.TimeDuration()
		unit := float64(c.TimeUnit.TimeDuration())
		s.period = time.Duration(unit / float64(c.Rate.Int64))
		rate := float64(c.Rate.Int64) / unit * 1e9
		s.stages = []stage{{rate, rate, s.length.Seconds()}}
	case *executor.RampingArrivalRateConfig:
		vus = c.MaxVUs.Int64
		s.ramp(c)
	default:
		return nil, nil
	}
	// The executor stripes by its VUs, so that an instance without one has no iteration either.
	own, err := whole.GetNewExecutionTupleFromValue(vus)
	if err != nil {
		return nil, err
	}
	s.start, s.steps, _ = own.GetStripedOffsets()
	return s, nil
}

func (s *Schedule) ramp(c *executor.RampingArrivalRateConfig) {
	second := time.Second.Seconds() / c.TimeUnit.TimeDuration().Seconds()
	from := float64(c.StartRate.Int64) * second
	for _, next := range c.Stages {
		length, to := next.Duration.TimeDuration(), float64(next.Target.Int64)*second
		if length > 0 { // a rate may jump
			s.stages = append(s.stages, stage{from, to, length.Seconds()})
		}
		s.length += length
		from = to
	}
}

// Length is how long iterations are begun.
func (s *Schedule) Length() time.Duration { return s.length }

// Varies says whether the rate changes.
func (s *Schedule) Varies() bool { return s.period == 0 }

// Rate is the mean rate of the whole scenario, in iterations a second.
func (s *Schedule) Rate() float64 {
	n := 0.0
	for _, stage := range s.stages {
		n += stage.iterations()
	}
	return n / s.length.Seconds()
}

// Due is when the instance's i-th iteration is due, counted from 0. One that
// the schedule does not have is due at its end.
func (s *Schedule) Due(i uint64) time.Duration {
	n := s.index(i)
	if s.period > 0 {
		return min(time.Duration(n)*s.period, s.length)
	}
	left := float64(n + 1) // by stages, the first iteration is due once a whole one is asked for
	var begin float64
	for _, stage := range s.stages {
		if has := stage.iterations(); left > has {
			left -= has
			begin += stage.length
			continue
		}
		return time.Duration((begin + stage.reach(left)) * 1e9)
	}
	return s.length
}

// index is which of the whole scenario's iterations the instance's i-th is.
func (s *Schedule) index(i uint64) int64 {
	n, round := s.start, int64(0)
	for k, step := range s.steps {
		round += step
		if uint64(k) < i%uint64(len(s.steps)) {
			n += step
		}
	}
	return n + int64(i/uint64(len(s.steps)))*round
}
