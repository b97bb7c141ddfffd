package answers

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// A sample builds a run in memory.
type sample struct {
	run *results.Run
	rng *rand.Rand
}

func newSample(seed uint64) *sample {
	return &sample{&results.Run{Name: "sample", Complete: true}, rand.New(rand.NewPCG(seed, 1))}
}

// noisy is v with a relative error of the spread.
func (s *sample) noisy(v, spread float64) float64 { return v * math.Exp(spread*s.rng.NormFloat64()) }

// row adds a row of 10 requests in a window of 1 s.
func (s *sample) row(repetition int, cell measure.Cell, values map[string]float64) *results.Row {
	m := measure.Row{Cell: cell, Ops: 10, Requests: 10, Window: measure.Window{To: time.Second}}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		m.Values = append(m.Values, measure.Value{Metric: name, Value: values[name]})
	}
	s.run.Rows = append(s.run.Rows, results.Row{Repetition: repetition, Measured: m})
	return &s.run.Rows[len(s.run.Rows)-1]
}

func atBatch(batch int) measure.Cell {
	return measure.Cell{Experiment: throughput, Name: fmt.Sprintf("Throughput/batch=%d", batch), Batch: batch, PromptTokens: 200, OutputTokens: 100}
}

func atLengths(prompt, output int) measure.Cell {
	return measure.Cell{Experiment: seqlen, Name: fmt.Sprintf("SeqLen/prompt=%d/output=%d", prompt, output), Batch: 1, PromptTokens: prompt, OutputTokens: output}
}

// sweep adds one repetition of each batch: throughput of the law, with noise.
func (s *sample) sweep(repetition int, batches []int, spread float64, law func(batch float64) float64) {
	for _, b := range batches {
		s.row(repetition, atBatch(b), map[string]float64{"tok/s": s.noisy(law(float64(b)), spread)})
	}
}

// lengths adds one repetition of all prompts and outputs: TTFT and E2E of the laws, with noise.
func (s *sample) lengths(repetition int, prompts, outputs []int, spread float64, ttft, e2e func(p, o float64) float64) {
	for _, p := range prompts {
		for _, o := range outputs {
			s.row(repetition, atLengths(p, o), map[string]float64{
				"mean-ttft-ns": s.noisy(ttft(float64(p), float64(o)), spread),
				"mean-e2e-ns":  s.noisy(e2e(float64(p), float64(o)), spread),
			})
		}
	}
}

// serve fills in the header of a vLLM with these settings, named as in its cache_config.
func (s *sample) serve(t *testing.T, settings map[string]string) {
	t.Helper()
	text, err := json.Marshal(map[string]any{"kind": "vllm", "version": "0.32.0", "model": "m", "max_model_len": 4096, "cache_config": settings})
	require.NoError(t, err)
	s.run.Header.Server = text
}

// answer is the one with that ID.
func answer(t *testing.T, s Summary, id string) Answer {
	t.Helper()
	for _, a := range s.Answers {
		if a.ID == id {
			return a
		}
	}
	t.Fatalf("no answer %q", id)
	return Answer{}
}
