// Package capacity finds the highest load at which enough requests meet their objectives.
//
// Each probe is a window of fresh requests, and a window is one sample: its
// requests wait in one queue, so they meet their objectives together or not
// at all. What the windows say is a probability for each capacity, which
// chooses the next load and is the answer's interval. No load is judged by one window.
package capacity

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"strconv"
)

// A Window is what one measurement at a load showed.
type Window struct {
	Met      int // requests that met their objectives
	Requests int // that count

	// Overloaded says that the queue grew: in the long run no request meets its objectives, whatever the window's did.
	Overloaded bool
}

// A Probe is a window at a load.
type Probe struct {
	Load float64
	Window
}

// A Search looks for the highest load at which the long-run share of requests
// that meet their objectives is Target or more. That share must not rise with the load.
type Search struct {
	// Measure takes a window of fresh requests at a load. It must begin when
	// the queue has forgotten that it was empty: a window before that is too good.
	Measure func(ctx context.Context, load float64) (Window, error)

	From       float64 // the lowest load, above 0
	Max        float64 // the highest load, at most a million times From
	Begin      float64 // the load probed first, from which higher ones double. 0 means From
	Whole      bool    // loads are whole numbers, as numbers of streams are
	Target     float64 // share of requests, in (0, 1). 0 means 0.95
	Confidence float64 // of the interval, in (0, 1). 0 means 0.95
	Tolerance  float64 // stop when the interval is as narrow as this share of the estimate, from 0.005 to 1. 0 means 0.05
	Probes     int     // most windows. 0 means 30
}

const (
	maxRange = 1e6 // of Max over From

	// The next load is one that the capacity lies below with these
	// probabilities, in turns: two sides show a slope, and what is nearer to the middle decides more.
	lowerTurn, upperTurn = 0.25, 0.75

	// growth bounds the step to a load higher than all before: a server that is far overloaded takes long to recover.
	growth = 2

	// fewest is how many windows decide at least: one may be a mishap.
	fewest = 3

	// cells is how many of the grid's are as wide as the tolerance.
	cells = 5
)

// Run probes until the answer is decided or the probes are used up. Beside an
// error, the answer is what the probes before it said.
func (s Search) Run(ctx context.Context) (Answer, error) {
	s.Target, s.Confidence = cmp.Or(s.Target, 0.95), cmp.Or(s.Confidence, 0.95)
	s.Tolerance, s.Probes, s.Begin = cmp.Or(s.Tolerance, 0.05), cmp.Or(s.Probes, 30), cmp.Or(s.Begin, s.From)
	if s.Whole {
		s.From, s.Begin, s.Max = math.Ceil(s.From), math.Ceil(s.Begin), math.Floor(s.Max)
	}
	if err := s.check(); err != nil {
		return Answer{}, err
	}
	b := newBelief(s.From/2, s.Max*2, s.Tolerance/cells, s.Target)
	v := b.verdict(s.Confidence)
	var a Answer
	for (!a.Decided || len(a.Probes) < fewest) && len(a.Probes) < s.Probes {
		load := s.next(v, a.Probes)
		w, err := s.Measure(ctx, load)
		if err == nil && (w.Requests < 1 || w.Met < 0 || w.Met > w.Requests) {
			err = fmt.Errorf("%d of %d requests met their objectives, which is no window: make it longer", w.Met, w.Requests)
		}
		if err != nil {
			return a, fmt.Errorf("probing load %v: %w", load, err)
		}
		a.Probes = append(a.Probes, Probe{load, w})
		b.see(load, w)
		v = b.verdict(s.Confidence)
		s.judge(&a, v)
	}
	return a, nil
}

func (s Search) check() error {
	share := func(x float64) bool { return x > 0 && x < 1 }
	switch {
	case !share(s.Target) || !share(s.Confidence):
		return fmt.Errorf("the target share is %v and the confidence %v: name shares between 0 and 1", s.Target, s.Confidence)
	case !(s.From > 0 && s.Max >= s.From && s.Max <= maxRange*s.From):
		return fmt.Errorf("loads go from %v to %v: name two above 0, in order, and at most a factor of a million apart", s.From, s.Max)
	case !(s.Begin >= s.From && s.Begin <= s.Max):
		return fmt.Errorf("the search begins at %v: name a load from %v to %v", s.Begin, s.From, s.Max)
	case !(s.Tolerance >= 0.005 && s.Tolerance <= 1):
		return fmt.Errorf("the tolerance is %v: name one from 0.005 to 1", s.Tolerance)
	case s.Probes < 1:
		return fmt.Errorf("the most probes are %d: name 1 or more", s.Probes)
	}
	return nil
}

// next is the load to probe: a factor of growth on from the last one until
// there are windows that held and such that did not, then by what is likely.
func (s Search) next(v verdict, probes []Probe) float64 {
	held, lowest, highest := 0, s.Begin, s.Begin
	for _, probe := range probes {
		lowest, highest = min(lowest, probe.Load), max(highest, probe.Load)
		if !probe.Overloaded && float64(probe.Met) >= s.Target*float64(probe.Requests) {
			held++
		}
	}
	var load float64
	switch {
	case len(probes) == 0:
		load = s.Begin
	case held == len(probes):
		load = growth * highest
	case held == 0:
		load = lowest / growth
	case len(probes)%2 == 0:
		load = min(v.quantile(upperTurn), growth*highest)
	default:
		load = v.quantile(lowerTurn)
	}
	if s.Whole {
		load = math.Round(load)
	} else {
		load = brief(load)
	}
	return min(max(load, s.From), s.Max)
}

// brief is a load of three digits, which can be named.
func brief(load float64) float64 {
	short, _ := strconv.ParseFloat(strconv.FormatFloat(load, 'g', 3, 64), 64) // what FormatFloat writes is a number
	return short
}
