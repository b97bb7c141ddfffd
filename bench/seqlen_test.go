package bench

import (
	"fmt"
	"testing"

	"vllmbench/internal/measure"
)

// BenchmarkSeqLen measures one request at a time over a grid of lengths. A
// longer prompt costs prefill, which shows in TTFT; a longer output costs
// decode, which shows in ITL and E2E. One operation is one request.
func BenchmarkSeqLen(b *testing.B) {
	ready(b).cells(b, seqLenCells())
}

func seqLenCells() (cells []measure.Cell) {
	for _, p := range flags.prompts {
		for _, o := range flags.outputs {
			cells = append(cells, measure.Cell{
				Experiment:   "seqlen",
				Name:         fmt.Sprintf("SeqLen/prompt=%d/output=%d", p, o),
				Batch:        1,
				PromptTokens: p,
				OutputTokens: o,
			})
		}
	}
	return cells
}
