package answers

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

const (
	// bendSignificance is the chance of calling a straight line bent.
	bendSignificance = 0.05

	// straightEnough is the distance from a line, as a share of the level, that
	// is too small to matter even where it is certain: what one reads off the
	// line is then wrong by less than repetitions on two days differ.
	straightEnough = 0.03
)

// fitLine fits a line to each repetition that has two levels or more, by least
// squares of the distances as shares of the level, since times spread in
// proportion to their length. It returns nil if there is no such repetition.
func fitLine(s series) *Line {
	a, b := s.lines()
	l := &Line{A: estimate(a), B: estimate(b), Levels: len(s.x)}
	if l.B.N == 0 {
		return nil
	}
	for i, x := range s.x {
		m := median(s.values(i))
		l.Worst = max(l.Worst, math.Abs(l.A.Value+l.B.Value*x-m)/m)
	}
	l.Straight = l.Worst <= straightEnough || !bent(s, s.weights())
	return l
}

// offBy says how far the levels lie from the line.
func (l *Line) offBy() string {
	text := fmt.Sprintf("off by %s %% at most", number(100*l.Worst))
	if l.Straight && l.Worst > straightEnough {
		text += ", which the spread of the repetitions explains"
	}
	return text
}

// lines are the lines of the repetitions; NaN where one has fewer than two levels.
func (s series) lines() (a, b []float64) {
	weights := s.weights()
	for _, y := range s.y {
		ai, bi, ok := regress(s.x, y, weights)
		if !ok {
			ai, bi = math.NaN(), math.NaN()
		}
		a, b = append(a, ai), append(b, bi)
	}
	return a, b
}

// weights make distances shares of the level.
func (s series) weights() []float64 {
	out := make([]float64, len(s.x))
	for i := range s.x {
		m := median(s.values(i))
		out[i] = 1 / (m * m)
	}
	return out
}

// regress is the weighted line through the values that are there.
func regress(x, y, weights []float64) (a, b float64, ok bool) {
	var xs, ys, ws []float64
	for i := range y {
		if !math.IsNaN(y[i]) {
			xs, ys, ws = append(xs, x[i]), append(ys, y[i]), append(ws, weights[i])
		}
	}
	if len(xs) < 2 {
		return 0, 0, false
	}
	a, b = stat.LinearRegression(xs, ys, ws, false)
	return a, b, true
}

// bent is the classical test of lack of fit: the F of the levels' distances
// from the line against the spread of the repetitions at each level (Draper
// and Smith, Applied Regression Analysis, section 2.1). Without repetitions
// there is no such spread, and nothing can be said.
func bent(s series, weights []float64) bool {
	var xs, ys, ws []float64
	var pure float64 // weighted squares of the spread at the levels
	var means []float64
	for i, x := range s.x {
		values := s.values(i)
		mean := stat.Mean(values, nil)
		means = append(means, mean)
		for _, y := range values {
			xs, ys, ws = append(xs, x), append(ys, y), append(ws, weights[i])
			pure += weights[i] * (y - mean) * (y - mean)
		}
	}
	lack, spare := float64(len(s.x)-2), float64(len(xs)-len(s.x))
	if lack < 1 || spare < 1 {
		return false
	}
	a, b := stat.LinearRegression(xs, ys, ws, false)
	var off float64
	for i, x := range s.x {
		d := means[i] - a - b*x
		off += float64(len(s.values(i))) * weights[i] * d * d
	}
	if pure == 0 {
		return off > 0
	}
	f := (off / lack) / (pure / spare)
	return distuv.F{D1: lack, D2: spare}.Survival(f) < bendSignificance
}
