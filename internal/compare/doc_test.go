package compare

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDocNamesRepetitions holds the tables of docs/compare.md to Needed.
func TestDocNamesRepetitions(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "compare.md"))
	require.NoError(t, err)
	gate := math.Log(0.97)
	for _, change := range []float64{math.Log(0.95), 0} {
		for _, spread := range []float64{0.01, 0.03, 0.1} {
			row := fmt.Sprintf("| %.0f %% |", 100*spread)
			for _, comparisons := range []float64{1, 18, 72} {
				row += " " + times(Needed(change-gate, spread, 0.025/comparisons)) + " |"
			}
			assert.Contains(t, string(text), "\n"+row+"\n")
		}
	}
}

// TestDocShowsOutput holds the output in docs/compare.md to the program's.
func TestDocShowsOutput(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "compare.md"))
	require.NoError(t, err)
	_, shown, ok := strings.Cut(string(text), "results/baseline results/week3\n")
	require.True(t, ok)
	shown, _, _ = strings.Cut(shown, "```")
	r, err := Compare(load(t, "baseline"), load(t, "week3"), Config{
		Gates: gates(t, "tok/s:3%"), Filter: ".name:(Latency OR Throughput)", OldPath: "results/baseline", NewPath: "results/week3",
	})
	require.NoError(t, err)
	var got strings.Builder
	require.NoError(t, r.Write(&got, Text))
	assert.Equal(t, got.String(), shown)
}
