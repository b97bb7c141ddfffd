package bench

import (
	"fmt"
	"testing"

	"vllmbench/internal/measure"
)

// BenchmarkThroughput measures a server that always has N requests in flight,
// and so how far batching carries. One operation is N requests.
func BenchmarkThroughput(b *testing.B) {
	ready(b).cells(b, throughputCells())
}

func throughputCells() (cells []measure.Cell) {
	for _, n := range flags.batches {
		cells = append(cells, measure.Cell{
			Experiment:   "throughput",
			Name:         fmt.Sprintf("Throughput/batch=%d", n),
			Batch:        n,
			PromptTokens: flags.prompt,
			OutputTokens: flags.output,
		})
	}
	return cells
}
