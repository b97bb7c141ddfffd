package answers

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/results"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden holds every sentence about the saved runs, so that wording is read before it changes.
func TestGolden(t *testing.T) {
	for _, path := range []string{"baseline", "week3", "week3.txt", "cpu-baseline.txt", "cpu-week3.txt"} {
		t.Run(path, func(t *testing.T) {
			run, err := results.Load(filepath.Join("..", "..", "results", path))
			require.NoError(t, err)
			defer run.Close()
			golden := filepath.Join("testdata", path+".golden")
			got := plain(Of(run))
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o666))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), got)
		})
	}
}

// plain writes a summary as text.
func plain(s Summary) string {
	var b strings.Builder
	for _, a := range s.Answers {
		fmt.Fprintf(&b, "%s (%s, %s)\n%s\n", a.Question, a.ID, a.Status, a.Text)
		for _, e := range a.Evidence {
			fmt.Fprintf(&b, "- %s\n", e)
		}
		b.WriteString("\n")
	}
	for _, w := range s.Warnings {
		fmt.Fprintf(&b, "! %s\n  because: %s\n  try: %s\n", w.What, w.Evidence, w.Try)
	}
	return b.String()
}
