package vllmsim

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReplayTable keeps the table in docs/simulator.md the recorded one.
func TestReplayTable(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(replayFolder, "*.txt"))
	require.NoError(t, err)
	page, err := os.ReadFile("../../docs/simulator.md")
	require.NoError(t, err)
	for _, file := range files {
		flags, _, n := readReplay(t, file)
		steps := 0.0
		for name, count := range n {
			if strings.HasPrefix(name, "iteration_tokens_total le=") {
				steps += count
			}
		}
		row := fmt.Sprintf("| %s | %g | %g | %g | %g | %g | %g | %g | `%s` |\n", strings.TrimSuffix(filepath.Base(file), ".txt"),
			n["request_success_total finished_reason=length"], n["prompt_tokens_total"], n["generation_tokens_total"],
			n["prefix_cache_queries_total"], n["prefix_cache_hits_total"], n["num_preemptions_total"], steps, flags)
		assert.Contains(t, string(page), row)
	}
}
