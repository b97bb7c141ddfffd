package answers

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

const (
	// kneeLevels are the batches that a knee needs: one on each side and itself.
	kneeLevels = 3

	// kneeSignificance is the chance at which a hinge may beat both rivals by
	// noise alone. It is small because the hinge's place is chosen by the data,
	// which flatters it.
	kneeSignificance = 0.001

	// kneeFall is the share of the exponent before the knee that the one after
	// it may have at most: a doubled batch then brings less than half of what
	// it brought before. A server that slows gradually bends less in one place.
	kneeFall = 0.5

	// leastNoise is the relative error below which no throughput is known, so
	// that a fit that is exact by luck does not count as certainty.
	leastNoise = 0.001

	// hingeStep is the step of the knee's place in log batch: 1 %.
	hingeStep = 0.01
)

// points are log throughput over log batch.
type points struct{ x, y []float64 }

// logs are the points of a repetition.
func logs(x, y []float64) (p points) {
	for i := range y {
		if !math.IsNaN(y[i]) {
			p.x, p.y = append(p.x, math.Log(x[i])), append(p.y, math.Log(y[i]))
		}
	}
	return p
}

// A hinge is log T = c + before (x - at) up to x = at, and after for before from there.
type hinge struct{ at, before, after, squares float64 }

// fitHinge finds the hinge of least squares whose place lies between the second
// level and the last but one, so that each side's exponent is in the data.
func fitHinge(p points, levels []float64) hinge {
	first, last := math.Log(levels[1]), math.Log(levels[len(levels)-2])
	places := make([]float64, 0, len(levels)+int((last-first)/hingeStep)+1)
	for _, l := range levels[1 : len(levels)-1] {
		places = append(places, math.Log(l))
	}
	for at := first; at < last; at += hingeStep {
		places = append(places, at)
	}
	best := hinge{squares: math.Inf(1)}
	for _, at := range places {
		if h := hingeAt(p, at); h.squares < best.squares {
			best = h
		}
	}
	return best
}

// hingeAt is the hinge of least squares at a place. The two sides share only
// the height there, so the normal equations fall apart. NaN squares are a side
// without points.
func hingeAt(p points, at float64) hinge {
	var u, v, uu, vv, uy, vy, sum float64
	for i, x := range p.x {
		d, y := x-at, p.y[i]
		sum += y
		if d < 0 {
			u, uu, uy = u+d, uu+d*d, uy+d*y
		} else {
			v, vv, vy = v+d, vv+d*d, vy+d*y
		}
	}
	height := (sum - u*uy/uu - v*vy/vv) / (float64(len(p.x)) - u*u/uu - v*v/vv)
	h := hinge{at: at, before: (uy - height*u) / uu, after: (vy - height*v) / vv}
	for i, x := range p.x {
		slope := h.after
		if x < at {
			slope = h.before
		}
		r := p.y[i] - height - slope*(x-at)
		h.squares += r * r
	}
	return h
}

// fitKnee fits a hinge to each repetition, and finds a knee if the hinge
// explains all of them better than one line does, better than a gradual loss
// does, and bends clearly. It returns nil with too few batches.
func fitKnee(s series) *Knee {
	if len(s.x) < kneeLevels {
		return nil
	}
	var all points
	var at, before, after, slope []float64
	for _, y := range s.y {
		p := logs(s.x, y)
		all.x, all.y = append(all.x, p.x...), append(all.y, p.y...)
		if len(p.x) < len(s.x) { // a hinge needs them all; the others take part in what follows
			continue
		}
		h := fitHinge(p, s.x)
		at, before, after = append(at, math.Exp(h.at)), append(before, h.before), append(after, h.after)
		_, b := stat.LinearRegression(p.x, p.y, nil, false)
		slope = append(slope, b)
	}
	if len(at) == 0 {
		return nil
	}
	k := &Knee{Batch: estimate(at), Before: estimate(before), After: estimate(after)}
	k.Found = k.After.Value <= kneeFall*k.Before.Value && hingeWins(all, s.x)
	if !k.Found {
		*k = Knee{Batch: Estimate{Value: slices.Max(s.x), N: len(at)}, Before: estimate(slope)}
	}
	return k
}

// hingeWins says whether a hinge explains the points better than its rivals.
func hingeWins(p points, levels []float64) bool {
	h := fitHinge(p, levels)
	parameters := 4.0
	if len(levels) == kneeLevels { // then its place is not chosen
		parameters = 3
	}
	n := float64(len(p.x))
	spare := n - parameters
	if spare < 1 {
		return false
	}
	a, b := stat.LinearRegression(p.x, p.y, nil, false)
	var line float64
	for i, x := range p.x {
		line += (p.y[i] - a - b*x) * (p.y[i] - a - b*x)
	}
	rival := min(line, fitGradual(p).squares)
	noise := h.squares + n*leastNoise*leastNoise
	f := ((rival - h.squares) / (parameters - 2)) / (noise / spare)
	return f > 0 && distuv.F{D1: parameters - 2, D2: spare}.Survival(f) < kneeSignificance
}

// A gradual is a server whose step takes base + each x batch: throughput is
// proportional to batch / (base + each batch), and nothing bends in one place.
type gradual struct{ base, each, squares float64 }

// fitGradual is the least squares of the logs, by Gauss-Newton from the
// straight line through batch / throughput.
func fitGradual(p points) gradual {
	n := len(p.x)
	batch, step, target, weights := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		batch[i], step[i] = math.Exp(p.x[i]), math.Exp(p.x[i]-p.y[i])
		target[i], weights[i] = step[i], 1/(step[i]*step[i])
	}
	best := gradual{squares: math.Inf(1)}
	for range 20 {
		base, each := stat.LinearRegression(batch, target, weights, false)
		g := gradual{base: base, each: each}
		for i := range n {
			fitted := base + each*batch[i]
			r := math.Log(step[i] / fitted)
			g.squares += r * r
			target[i], weights[i] = fitted*(1+r), 1/(fitted*fitted)
		}
		if !(g.squares < best.squares) { // it has converged, or no step takes a negative time
			break
		}
		best = g
	}
	return best
}
