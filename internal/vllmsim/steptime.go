package vllmsim

import (
	"time"

	"vllmbench/internal/roofline"
)

// A Timing is what an engine reaches of the roofline, and what it adds to it.
// Zero fields have the defaults.
type Timing struct {
	// Bandwidth is the share of the peak that a step's bytes move at, in (0, 1].
	// The default, 0.786, is what a decode-like matrix-vector product over
	// 11.4 GB of weights reached on an H200: 3.79 of 4.82 TB/s.
	Bandwidth float64 `json:"bandwidth_share"`

	// Compute is the share of the peak that a step's operations run at, in (0, 1].
	// The default, 0.66, is what bf16 products of 8192x8192 matrices reached on
	// an H200: 655 of 989 TFLOP/s, under its power cap.
	Compute float64 `json:"compute_share"`

	// Step is scheduling, input preparation and output handling of a step. With
	// asynchronous scheduling it passes while the step before runs. The default
	// is 540 us: vLLM 0.27.1's engine loop with a stub in the model's place took
	// 541 us a step (openfabric-systems/simllm#204, which calls the figure
	// diagnostic).
	Step time.Duration `json:"step_ns"`

	// Request is the CPU time that the API server needs for a request before the
	// engine has it. Requests that come together share the CPU. Default none.
	Request time.Duration `json:"request_ns"`

	// Latency is what else passes before the engine has a request, for each by
	// itself. Default none.
	Latency time.Duration `json:"latency_ns"`
}

const (
	bandwidthShare = 0.786
	computeShare   = 0.66
	stepOverhead   = 540 * time.Microsecond
)

func (t Timing) resolved() Timing {
	setDefault(&t.Bandwidth, bandwidthShare)
	setDefault(&t.Compute, computeShare)
	setDefault(&t.Step, stepOverhead)
	return t
}

// allReduceLatency is how long GPUs need to add up a vector of no length. An
// estimate: fused all-reduces over NVLink take 5 to 15 us.
const allReduceLatency = 10 * time.Microsecond

// A stepTimer says how long a batch takes.
type stepTimer struct {
	model    roofline.Model
	gpu      roofline.GPU
	gpus     int // that share each layer
	overhead time.Duration
	seqs     []roofline.Sequence
}

// A stepTime is a step's plan: the overhead, then a GPU's kernels.
type stepTime struct {
	work              roofline.Work
	overhead, kernels time.Duration
}

func (s stepTime) duration() time.Duration { return s.overhead + s.kernels }

func newStepTimer(s settings) *stepTimer {
	return &stepTimer{model: s.model, gpu: s.gpu.Derated(s.Timing.Bandwidth, s.Timing.Compute), gpus: s.TensorParallelSize, overhead: s.Timing.Step}
}

func (t *stepTimer) step(b Batch) stepTime {
	t.seqs = t.seqs[:0]
	for _, w := range b.Work {
		t.seqs = append(t.seqs, roofline.Sequence{Context: w.Context, New: w.Tokens, Sample: w.Sample})
	}
	work := t.model.Step(t.seqs)
	work.Bytes /= float64(t.gpus)
	work.FLOPs /= float64(t.gpus)
	return stepTime{work, t.overhead, work.Floor(t.gpu) + t.allReduce(b.Tokens)}
}

// allReduce returns how long n GPUs exchange what they computed apart: twice a
// layer, after attention and after the feed-forward network, the residual
// stream of the step's tokens in 2 bytes a value. A ring moves 2(n-1)/n of the
// bytes over each link. Exchange and computation do not overlap. This is an
// estimate, not fitted to any measurement.
func (t *stepTimer) allReduce(tokens int) time.Duration {
	if t.gpus == 1 {
		return 0
	}
	n := float64(t.gpus)
	bytes := 2 * float64(tokens) * float64(t.model.Hidden)
	each := allReduceLatency + time.Duration(2*(n-1)/n*bytes/t.gpu.Link*float64(time.Second))
	return time.Duration(2*t.model.Layers) * each
}
