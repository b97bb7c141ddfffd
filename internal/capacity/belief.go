package capacity

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// A belief is how likely each capacity is, given the windows seen.
//
// Its model is the long-run share of requests that meet their objectives at a load x,
//
//	logit(share) = logit(target) + slope * ln(capacity / x)
//
// as far as reach from the target on the logit's scale. Beyond that it is a plateau, so that a
// window far from the capacity says on which side it is and nothing of the
// slope near it. Requests of one window are no independent samples. What a window
// says is therefore the binomial log-likelihood over a dispersion that the windows
// themselves show (quasi-likelihood, Wedderburn 1974): its estimate of a mean is the mean, whatever the
// distribution of the windows' shares is, which a likelihood of a certain
// distribution does not promise.
type belief struct {
	offset     float64     // logit of the target
	step       float64     // of capacities
	capacities []float64   // ln, in order
	logLike    [][]float64 // of all windows, were requests independent; by capacity and slope
	seen       []sighting
	requests   int
}

// A sighting is a window at a load.
type sighting struct {
	at   float64 // ln of the load
	m, n float64 // requests that met, and all
}

// slopes are a factor of sqrt(2) apart, from that of a latency which hardly
// depends on the load; a server that takes so many and no more has the last.
var slopes = [...]float64{1, 1.41, 2, 2.83, 4, 5.66, 8, 11.3, 16, 22.6, 32, 45.3, 64, 90.5, 128, 181, 1e4}

const (
	// reach is where the plateaus begin: shares of 0.61 and 0.996 for a target of 0.95.
	reach = 2.5

	// What is taken for known of the dispersion before any window: so many
	// requests, or the whole window, go well or badly together. It weighs as much
	// as that many windows in the estimate, and as that many degrees of freedom.
	priorBunch   = 60.0
	priorWindows = 3.0
	priorFreedom = 6.0

	// caution is for windows near the capacity, whose shares are skewed: most
	// of a few of them vary less than many do.
	caution = 2.2
)

// newBelief takes all capacities from low to high as equally likely on a log scale.
func newBelief(low, high, step, target float64) *belief {
	b := &belief{step: step, offset: math.Log(target / (1 - target))}
	for at := math.Log(low); at < math.Log(high)+step; at += step {
		b.capacities = append(b.capacities, at)
		b.logLike = append(b.logLike, make([]float64, len(slopes)))
	}
	return b
}

// see takes in a window at a load. The share of an overloaded one tells how long
// it was, not how many are met in the long run: it is on the lower plateau.
func (b *belief) see(load float64, seen Window) {
	w := sighting{math.Log(load), float64(seen.Met), float64(seen.Requests)}
	if seen.Overloaded {
		w.m = w.n / (1 + math.Exp(reach-b.offset))
	}
	b.seen = append(b.seen, w)
	b.requests += seen.Requests
	// ln of the share is u - ln(1+e^u), that of its complement -ln(1+e^u)
	logLike := func(u float64) float64 { return w.m*u - w.n*math.Log1p(math.Exp(u)) }
	low, high := logLike(b.offset-reach), logLike(b.offset+reach)
	for i, c := range b.capacities {
		for k, slope := range slopes {
			switch d := slope * (c - w.at); {
			case d <= -reach:
				b.logLike[i][k] += low
			case d >= reach:
				b.logLike[i][k] += high
			default:
				b.logLike[i][k] += logLike(b.offset + d)
			}
		}
	}
}

// A verdict is what a belief comes to.
type verdict struct {
	*belief
	upTo      []float64 // probability of the cells up to each one, that included
	low, high float64   // cells at the ends of those that the windows do not contradict
}

// verdict says of each capacity how likely it is, over all slopes, and whether
// the windows contradict it at that confidence: whether its best curve is so much less
// likely than the best of all, by the test on a ratio of quasi-likelihoods
// (Student's t squared, which is F of one parameter).
func (b *belief) verdict(confidence float64) verdict {
	v := verdict{belief: b, upTo: make([]float64, len(b.capacities)), low: math.Inf(1)}
	top, dispersion, freedom := b.dispersion()
	t := distuv.StudentsT{Sigma: 1, Nu: freedom}.Quantile((1 + confidence) / 2)
	sum, weight, last := 0.0, 0.0, math.Inf(1)
	for i, by := range b.logLike {
		for _, l := range by {
			if l != last { // most are on the same plateaus as their neighbours
				weight, last = math.Exp((l-top)/dispersion), l
			}
			sum += weight
		}
		v.upTo[i] = sum
		if 2*(top-slices.Max(by)) <= t*t*dispersion {
			v.low = min(v.low, math.Exp(b.capacities[i]))
			v.high = math.Exp(b.capacities[i])
		}
	}
	for i := range v.upTo {
		v.upTo[i] /= sum
	}
	return v
}

// dispersion is how many times more the windows' counts vary around the most
// likely curve than those of independent requests, by Pearson's statistic, and
// how many degrees of freedom that is worth. A window near the capacity
// counts for half of one, since a skewed variance is harder to know than a normal one's.
func (b *belief) dispersion() (top, dispersion, freedom float64) {
	top, capacity, slope := b.likeliest()
	sum, windows := 0.0, 0.0
	if n := float64(len(b.seen)); n > 0 {
		sum = priorWindows * min(priorBunch, float64(b.requests)/n)
	}
	for _, w := range b.seen {
		d := slope * (capacity - w.at)
		if math.Abs(d) >= reach {
			continue
		}
		share := 1 / (1 + math.Exp(-b.offset-d))
		off := w.m - w.n*share
		sum += caution * off * off / (w.n * share * (1 - share))
		windows++
	}
	near := max(0, windows-2) // the curve took two
	far := float64(len(b.seen)) - windows
	most := max(1, float64(b.requests)/float64(max(len(b.seen), 1))) // all requests of a window have one fate
	return top, min(max(1, sum/(priorWindows+near)), most), priorFreedom + near/2 + far
}

// likeliest is the curve of the highest likelihood, and that.
func (b *belief) likeliest() (top, capacity, slope float64) {
	top = math.Inf(-1)
	for i, by := range b.logLike {
		for k, l := range by {
			if l > top {
				top, capacity, slope = l, b.capacities[i], slopes[k]
			}
		}
	}
	return top, capacity, slope
}

// quantile is the load that the capacity is below of with probability q.
func (v verdict) quantile(q float64) float64 {
	before := 0.0
	for i, upTo := range v.upTo {
		if upTo >= q {
			return math.Exp(v.capacities[i] + v.step*((q-before)/(upTo-before)-0.5))
		}
		before = upTo
	}
	return math.Exp(v.capacities[len(v.capacities)-1])
}
