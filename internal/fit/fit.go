// Package fit finds the overheads with which the embedded server behaves as a
// measured one.
//
// It compares what cells of a saved run showed with what the scheduler predicts
// for the same closed loops, on a clock of its own, and moves three figures until
// the two agree best: the shares of the GPU's bandwidth and operations that are
// reached, and the CPU time of a request. The CPU time of a step stays as it is:
// asynchronous scheduling hides it, and what shows of it in TTFT looks like a
// request's. The scheduler itself, the model and the GPU's peaks are given, so
// the fit cannot hide their errors.
package fit

import (
	"errors"
	"math"
	"time"

	"gonum.org/v1/gonum/optimize"

	"vllmbench/internal/vllmsim"
)

// A Triple is the three quantities by which a prediction is judged.
type Triple struct {
	TTFT float64 // median, seconds
	ITL  float64 // median, seconds; 0: none
	Rate float64 // output tokens a second
}

// A Cell is a closed loop and what was measured of it. A zero in Measured is unknown.
type Cell struct {
	Name     string
	Load     vllmsim.Load
	Measured Triple
}

// A Judged is a cell with its prediction.
type Judged struct {
	Cell
	Predicted Triple
}

// Errors returns predicted over measured less 1, each in (-1, Inf); NaN where
// nothing was measured.
func (j Judged) Errors() Triple {
	off := func(predicted, measured float64) float64 {
		if measured == 0 {
			return math.NaN()
		}
		return predicted/measured - 1
	}
	return Triple{
		off(j.Predicted.TTFT, j.Measured.TTFT), off(j.Predicted.ITL, j.Measured.ITL), off(j.Predicted.Rate, j.Measured.Rate),
	}
}

// Timing returns the timing with which the server of config predicts the cells
// best: with the least sum of the sizes of log(predicted/measured), which a few cells that the model gets wrong do not rule.
// The error says that there are no cells or that the configuration cannot work.
func Timing(config vllmsim.Config, cells []Cell) (vllmsim.Timing, error) {
	if len(cells) == 0 {
		return vllmsim.Timing{}, errors.New("the run has no valid cell to fit: record one with -record")
	}
	if _, err := Judge(config, cells); err != nil {
		return vllmsim.Timing{}, err
	}
	start := vllmsim.Timing{Bandwidth: 0.7, Compute: 0.7, Request: 3 * time.Millisecond, Latency: 3 * time.Millisecond}
	problem := optimize.Problem{Func: func(x []float64) float64 {
		c := config
		c.Timing = timing(x, config.Timing.Step)
		judged, err := Judge(c, cells)
		if err != nil { // out of the ranges that make sense
			return math.Inf(1)
		}
		return loss(judged)
	}}
	settings := &optimize.Settings{
		FuncEvaluations: 600,
		Converger:       &optimize.FunctionConverge{Absolute: 1e-5, Iterations: 60},
	}
	result, err := optimize.Minimize(problem, point(start), settings, &optimize.NelderMead{SimplexSize: 0.5})
	if err != nil {
		return vllmsim.Timing{}, err
	}
	return timing(result.X, config.Timing.Step), nil
}

// Judge predicts all cells.
func Judge(config vllmsim.Config, cells []Cell) ([]Judged, error) {
	out := make([]Judged, len(cells))
	for i, c := range cells {
		p, err := vllmsim.Predict(config, c.Load)
		if err != nil {
			return nil, err
		}
		out[i] = Judged{c, Triple{p.TTFT.Seconds(), p.ITL.Seconds(), p.TokensPerSec}}
	}
	return out, nil
}

func loss(judged []Judged) float64 {
	sum := 0.0
	for _, j := range judged {
		e := j.Errors()
		for _, off := range [...]float64{e.TTFT, e.ITL, e.Rate} {
			if !math.IsNaN(off) {
				sum += math.Abs(math.Log1p(off))
			}
		}
	}
	return sum
}

// point and timing map the three figures to numbers without bounds, and back:
// shares by their odds, times by their size, each in logarithms.
func point(t vllmsim.Timing) []float64 {
	odds := func(share float64) float64 { return math.Log(share / (1 - share)) }
	return []float64{odds(t.Bandwidth), odds(t.Compute), math.Log(t.Request.Seconds()), math.Log(t.Latency.Seconds())}
}

func timing(x []float64, step time.Duration) vllmsim.Timing {
	share := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	seconds := func(x float64) time.Duration { return time.Duration(math.Exp(min(x, 5)) * float64(time.Second)) }
	return vllmsim.Timing{Bandwidth: share(x[0]), Compute: share(x[1]), Step: step, Request: seconds(x[2]), Latency: seconds(x[3])}
}
