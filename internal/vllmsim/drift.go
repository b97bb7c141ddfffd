package vllmsim

import (
	"fmt"
	"time"
)

// A drift makes a server slower in the course of time, as heat and neighbours
// do. Zero values make none.
type drift struct {
	share float64       // of a step's time, at the end
	over  time.Duration // from the first step on
	began time.Time
}

// slowed returns step as it is when it begins at that instant. The kernels
// bear all of the delay, as with a GPU that clocks down.
func (d *drift) slowed(step stepTime, at time.Time) stepTime {
	if d.share == 0 {
		return step
	}
	if d.began.IsZero() {
		d.began = at
	}
	passed := min(1, at.Sub(d.began).Seconds()/d.over.Seconds())
	step.kernels += time.Duration(d.share * passed * float64(step.duration()))
	return step
}

// release is what the server calls itself: one with faults says so wherever
// its version shows.
func (s *settings) release() string {
	release := Version
	if s.Drift != 0 {
		release += fmt.Sprintf(" (a fault is on: steps drift to %g %% slower over %v)", 100*s.Drift, s.DriftOver)
	}
	if on := s.Faults.String(); on != "" {
		release += " (faults are on: " + on + ")"
	}
	return release
}
