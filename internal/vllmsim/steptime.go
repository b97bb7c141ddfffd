package vllmsim

import (
	"time"

	"vllmbench/internal/roofline"
)

// What an engine reaches of the roofline, and what it adds to it.
const (
	// bandwidthShare of the peak is what a decode-like matrix-vector product
	// over 11.4 GB of weights reached on an H200: 3.79 of 4.82 TB/s.
	bandwidthShare = 0.786

	// computeShare of the peak is what bf16 products of 8192x8192 matrices
	// reached on an H200: 655 of 989 TFLOP/s, under its power cap.
	computeShare = 0.66

	// stepOverhead is scheduling, input preparation and output handling of a
	// step: 541 us a step of vLLM 0.27.1's engine loop with a stub in the model's
	// place (openfabric-systems/simllm#204, which calls the figure diagnostic).
	// The GPU waits for it: the next step is not prepared while one runs.
	stepOverhead = 540 * time.Microsecond
)

// A stepTimer says how long a batch takes.
type stepTimer struct {
	model roofline.Model
	gpu   roofline.GPU
	seqs  []roofline.Sequence
}

// A stepTime is a step's plan: the overhead, then the GPU's kernels.
type stepTime struct {
	work    roofline.Work
	kernels time.Duration
}

func (s stepTime) duration() time.Duration { return stepOverhead + s.kernels }

func newStepTimer(model roofline.Model, gpu roofline.GPU) *stepTimer {
	return &stepTimer{model: model, gpu: gpu.Derated(bandwidthShare, computeShare)}
}

func (t *stepTimer) step(b Batch) stepTime {
	t.seqs = t.seqs[:0]
	for _, w := range b.Work {
		t.seqs = append(t.seqs, roofline.Sequence{Context: w.Context, New: w.Tokens, Sample: w.Sample})
	}
	work := t.model.Step(t.seqs)
	return stepTime{work, work.Floor(t.gpu)}
}
