package bench

import (
	"testing"

	"vllmbench/internal/measure"
)

// BenchmarkLatency measures one request at a time: what a single user waits
// for on an idle server. One operation is one request.
func BenchmarkLatency(b *testing.B) {
	s, c := ready(b), latencyCell()
	if s.skip(c) {
		b.SkipNow()
	}
	s.cell(b, c)
}

func latencyCell() measure.Cell {
	return measure.Cell{
		Experiment:   "latency",
		Name:         "Latency",
		Batch:        1,
		PromptTokens: flags.prompt,
		OutputTokens: flags.output,
	}
}
