package trace

import (
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"

	"vllmbench/internal/prompt"
)

// peakWindow is how long the peak rate is held: shorter peaks drain before a server's queue shows them.
const peakWindow = 10 * time.Second

// Stats describe the requests of a trace, as they will be sent. What is not
// known is NaN.
type Stats struct {
	Requests int
	Length   time.Duration // from the first arrival to the last
	Rate     float64       // requests a second: the inverse of the mean gap
	Peak     float64       // requests a second in the fullest 10 s; NaN in shorter traces

	// Dispersion is the variance of the number of arrivals in a second over its
	// mean, in the whole seconds since the first arrival. Poisson arrivals
	// have 1, evenly spaced ones 0. NaN for less than two seconds.
	Dispersion float64

	// GapCV is the standard deviation of the gaps between arrivals over their
	// mean. Poisson arrivals have 1.
	GapCV float64

	Prompt, Output Lengths

	// Reuse is the share of all prompt tokens that repeat the start of an earlier
	// prompt by their hashes, which a prefix cache of no limit would
	// serve. NaN if the trace has no hashes.
	Reuse float64
}

// Lengths describe numbers of tokens a request. Quantiles are samples.
type Lengths struct{ Mean, P50, P90, P99, Max float64 }

// Stats computes the statistics.
func (t *Trace) Stats() Stats {
	n := len(t.Requests)
	s := Stats{Requests: n, Rate: math.NaN(), GapCV: math.NaN()}
	if n == 0 {
		return s
	}
	prompts, outputs, gaps := make([]float64, n), make([]float64, n), make([]float64, n-1)
	for i, q := range t.Requests {
		prompts[i], outputs[i] = float64(q.Prompt), float64(q.Output)
		if i > 0 {
			gaps[i-1] = (q.At - t.Requests[i-1].At).Seconds()
		}
	}
	s.Reuse = t.reuse(stat.Mean(prompts, nil) * float64(n))
	s.Length = t.Requests[n-1].At
	if s.Length > 0 {
		s.Rate = float64(n-1) / s.Length.Seconds()
	}
	if mean, deviation := stat.MeanStdDev(gaps, nil); n > 2 && mean > 0 {
		s.GapCV = deviation / mean
	}
	s.Peak, s.Dispersion = t.peak(), t.dispersion()
	s.Prompt, s.Output = lengths(prompts), lengths(outputs)
	return s
}

// lengths sorts tokens.
func lengths(tokens []float64) Lengths {
	slices.Sort(tokens)
	at := func(p float64) float64 { return stat.Quantile(p, stat.Empirical, tokens, nil) }
	return Lengths{Mean: stat.Mean(tokens, nil), P50: at(0.5), P90: at(0.9), P99: at(0.99), Max: tokens[len(tokens)-1]}
}

// peak is the rate of the fullest window, wherever it begins.
func (t *Trace) peak() float64 {
	if t.Requests[len(t.Requests)-1].At < peakWindow {
		return math.NaN()
	}
	most, from := 0, 0
	for i, q := range t.Requests {
		for t.Requests[from].At <= q.At-peakWindow {
			from++
		}
		most = max(most, i+1-from)
	}
	return float64(most) / peakWindow.Seconds()
}

// dispersion counts by second without a list of all seconds, most of which may be empty.
func (t *Trace) dispersion() float64 {
	seconds := float64(t.Requests[len(t.Requests)-1].At / time.Second)
	if seconds < 2 {
		return math.NaN()
	}
	sum, squares := 0.0, 0.0
	for i := 0; i < len(t.Requests); {
		second, count := t.Requests[i].At/time.Second, 0.0
		for ; i < len(t.Requests) && t.Requests[i].At/time.Second == second; i++ {
			count++
		}
		if float64(second) < seconds { // the last second is not a whole one
			sum += count
			squares += count * count
		}
	}
	mean := sum / seconds
	return (squares - seconds*mean*mean) / (seconds - 1) / mean
}

func (t *Trace) reuse(tokens float64) float64 {
	if t.Block == 0 {
		return math.NaN()
	}
	var before prompt.Seen
	repeated := 0
	for _, q := range t.Requests {
		repeated += before.Add(q.Blocks, t.Block, q.Prompt)
	}
	return float64(repeated) / tokens
}
