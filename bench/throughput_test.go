package bench

import (
	"fmt"
	"testing"

	"vllmbench/internal/measure"
)

// BenchmarkThroughput measures a server that always has N requests in flight,
// and so how far batching carries. One operation is N requests.
func BenchmarkThroughput(b *testing.B) {
	s := ready(b)
	for _, n := range flags.batches {
		s.sub(b, fmt.Sprintf("batch=%d", n), measure.Cell{
			Experiment:   "throughput",
			Name:         fmt.Sprintf("Throughput/batch=%d", n),
			Batch:        n,
			PromptTokens: flags.prompt,
			OutputTokens: flags.output,
		})
	}
}
