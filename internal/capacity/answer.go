package capacity

import (
	"fmt"
	"math"
)

// An Answer is what a search found. Loads are in the unit of Search.From.
type Answer struct {
	Low      float64 // the highest load shown to hold; 0 if none is
	High     float64 // the lowest load shown not to hold; +Inf if none is
	Estimate float64 // the capacity is below it and above it with the same probability; 0 if that is below Search.From, at most Search.Max
	Probes   []Probe // in the order of measurement
	Decided  bool    // the interval is as narrow as asked, or the capacity is outside the loads of the search
	Why      string  // why the search ended, in one clause
}

// judge reads the answer off what is known by now.
func (s Search) judge(a *Answer, v verdict) {
	half := math.Exp(v.step / 2)
	a.Low, a.Estimate, a.High = v.low/half, min(max(v.quantile(0.5), v.low), v.high), v.high*half
	if s.Whole { // all capacities from one whole number to the next mean the former
		a.Low, a.Estimate, a.High = math.Floor(v.low), math.Floor(a.Estimate), math.Floor(v.high)+1
	}
	width := (a.High - a.Low) / a.Estimate
	a.Decided = true
	switch {
	case v.high < s.From:
		a.Why = fmt.Sprintf("the objectives do not hold even at the lowest load, %.3g", s.From)
		a.Low, a.Estimate, a.High = 0, 0, s.From
		return
	case v.low > s.Max:
		a.Why = fmt.Sprintf("the objectives hold up to the highest load, %.3g", s.Max)
		a.Low, a.Estimate, a.High = s.Max, s.Max, math.Inf(1)
		return
	case s.Whole && a.High <= a.Low+1:
		a.Why = "no whole number is left between what holds and what does not"
	case width <= s.Tolerance:
		a.Why = fmt.Sprintf("the %.3g %% interval is as narrow as asked", 100*s.Confidence)
	case len(a.Probes) == 1:
		a.Decided, a.Why = false, "one probe does not decide"
	default:
		a.Decided, a.Why = false, fmt.Sprintf("%d probes do not decide", len(a.Probes))
	}
	s.bound(a)
}

// bound cuts the answer to the loads of the search, beyond which nothing was probed.
func (s Search) bound(a *Answer) {
	if a.Low < s.From {
		a.Low = 0
	}
	if a.Estimate < s.From {
		a.Estimate = 0
	}
	a.Estimate = min(a.Estimate, s.Max)
	if a.High > s.Max {
		a.High = math.Inf(1)
	}
}
