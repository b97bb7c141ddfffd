package bench

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// itlAgreement is the share by which the mean ITL on the wire and the server's
// own, of the same requests, may differ. Both end at the same tokens, so that
// only what delays a first and a last token differently comes between them.
const itlAgreement = 0.02

// realRounds is how often each cell is measured. Every row must be valid; the
// agreement is that of the median round, since in six requests one stall of a shared host is much.
const realRounds = 3

// TestRealServer runs the whole suite at its defaults against a real vLLM and
// holds every row against the server's own figures.
func TestRealServer(t *testing.T) {
	if flags.url == "" {
		t.Skip("no server is named: make test-vllm starts a vLLM on this machine's CPU, -url or VLLM_BASE_URL names another")
	}
	dir := filepath.Join(t.TempDir(), "real")
	key := cmp.Or(flags.apiKey, os.Getenv("VLLM_API_KEY"))
	c := runChild(t, "-test.benchtime=1s", fmt.Sprintf("-test.count=%d", realRounds), "-url="+flags.url, "-model="+flags.model, "-api-key="+key, "-record="+dir)
	t.Log("\n" + c.all())
	assert.Zero(t, c.status())

	cells := []string{"Latency"}
	for _, n := range flags.prompts {
		for _, o := range flags.outputs {
			cells = append(cells, fmt.Sprintf("SeqLen/prompt=%d/output=%d", n, o))
		}
	}
	for _, n := range flags.batches {
		cells = append(cells, fmt.Sprintf("Throughput/batch=%d", n))
	}
	all := slices.Repeat(cells, realRounds)
	assert.Equal(t, len(all), len(c.results()), "rows that are valid")
	shownOrNamed(t, c, func(m measure.Metric) bool { return m.Default })
	recorded(t, dir, all)
	agrees(t, dir)
}

// agrees compares each row's means on the wire with the server's histograms.
func agrees(t *testing.T, dir string) {
	t.Helper()
	run, err := results.Open(dir)
	require.NoError(t, err)
	defer run.Close()
	var table strings.Builder
	fmt.Fprintf(&table, "%-32s %6s %12s %12s %12s %12s %12s %8s\n", "cell", "reqs", "wire TTFT", "server TTFT", "egress", "wire ITL", "server ITL", "apart")
	aparts := map[string][]float64{}
	for _, row := range run.Rows {
		ttft, itl := pair(t, &row.Measured, "ttft"), pair(t, &row.Measured, "itl")
		apart := (itl.Wire - itl.Server) / itl.Server
		assert.GreaterOrEqual(t, ttft.Wire, ttft.Server, "%s: a token came before it was made", row.Measured.Name)
		aparts[row.Measured.Name] = append(aparts[row.Measured.Name], apart)
		fmt.Fprintf(&table, "%-32s %6d %9.3f ms %9.3f ms %9.3f ms %9.4f ms %9.4f ms %+7.2f%%\n", row.Measured.Name, row.Requests.Count,
			ttft.Wire/1e6, ttft.Server/1e6, (ttft.Wire-ttft.Server)/1e6, itl.Wire/1e6, itl.Server/1e6, 100*apart)
	}
	t.Log("\n" + table.String())
	for cell, a := range aparts {
		slices.Sort(a)
		assert.InDelta(t, 0, a[len(a)/2], itlAgreement, "%s: the mean ITL is not the server's in %.4v", cell, a)
	}
}

// pair is the row's pair of that name, which must be there.
func pair(t *testing.T, row *measure.Row, name string) measure.Pair {
	t.Helper()
	for _, p := range row.Wire {
		if p.Name == name {
			return p
		}
	}
	assert.Fail(t, "no pair", "%s: the server does not tell its %s, or a request failed", row.Name, name)
	return measure.Pair{Name: name}
}
