package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/perf/benchfmt"

	"vllmbench/internal/measure"
	"vllmbench/internal/results"
	"vllmbench/internal/vllmsim"
)

// TestEmbeddedRun is what go test -bench=. does without a server, made small.
func TestEmbeddedRun(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	c := runChild(t, tiny("-prompts=10,50", "-outputs=5,10", "-record="+dir)...)
	assert.Zero(t, c.status(), c.all())
	assert.Empty(t, c.stderr.String())
	cells := []string{
		"Latency",
		"SeqLen/prompt=10/output=5", "SeqLen/prompt=10/output=10", "SeqLen/prompt=50/output=5", "SeqLen/prompt=50/output=10",
		"Throughput/batch=1", "Throughput/batch=2",
	}
	assert.Equal(t, cells, c.cells())
	for _, r := range c.results() {
		assert.Equal(t, "vllmsim", r.GetConfig("server"))
		assert.Equal(t, "Qwen/Qwen2.5-7B", r.GetConfig("model"))
		assert.Contains(t, r.GetConfig("workload"), "prompt=10/output=8 unless named")
	}
	assert.Contains(t, c.stdout.String(), "\nUnit tok/s better=higher\n")
	assert.Len(t, c.comments("server: vllmsim, the embedded one"), 1)
	shownOrNamed(t, c, func(m measure.Metric) bool { return m.Default })
	recorded(t, dir, cells)
}

// recorded looks at a run that ended well: of each row the requests and the ledger.
func recorded(t *testing.T, dir string, cells []string) {
	t.Helper()
	run, err := results.Open(dir)
	require.NoError(t, err)
	defer run.Close()
	assert.True(t, run.Complete)
	assert.Empty(t, run.Warnings)
	var names []string
	for i, row := range run.Rows {
		m := row.Measured
		names = append(names, m.Name)
		assert.Empty(t, m.Void, m.Name)
		balanced(t, &m)
		reqs := requests(t, run, i)
		assert.GreaterOrEqual(t, len(reqs), 3*m.Batch, "ramp, window and tail")
		for _, r := range reqs {
			assert.Equal(t, m.PromptTokens, r.PromptTokens)
			assert.Equal(t, m.OutputTokens, r.OutputTokens)
			tokens := 0
			for _, e := range r.Events {
				tokens += e.Tokens
			}
			assert.Equal(t, m.OutputTokens, tokens, "%s: tokens that arrived", m.Name)
			assert.True(t, r.Reused || r.Sent < m.Window.From, "%s: a connection was opened inside the window", m.Name)
		}
	}
	assert.Equal(t, cells, names)
}

// balanced asserts that every account of the ledger is known and balances.
func balanced(t *testing.T, row *measure.Row) {
	t.Helper()
	var names []string
	for _, a := range row.Ledger {
		names = append(names, a.Name)
		assert.True(t, a.Known, "%s: the server's %s are unknown", row.Name, a.Name)
		assert.True(t, a.Balances(), "%s: %+v", row.Name, a)
	}
	assert.Equal(t, []string{
		"requests (length)", "requests (stop)", "requests (abort)", "requests (error)", "prompt tokens", "generated tokens",
		"prefix cache hits", "external prefix cache hits", "preemptions", "in flight, before", "in flight, tail", "in flight, after",
	}, names, row.Name)
}

// shownOrNamed asserts that each metric asked for is on every line, or is
// named with a reason.
func shownOrNamed(t *testing.T, c *child, asked func(measure.Metric) bool) {
	t.Helper()
	var leftOut []string
	for _, line := range c.comments("left out: ") {
		metrics, why, ok := strings.Cut(line, " in ")
		require.True(t, ok, line)
		assert.Regexp(t, `^(every row|\S+/\S+|Latency).*: .+`, why)
		leftOut = append(leftOut, strings.Split(metrics, ", ")...)
	}
	for _, r := range c.results() {
		for _, m := range measure.Metrics(measure.DefaultQuantiles) {
			if !asked(m) || !m.Of(&measure.Row{}) || m.OfGPU() { // no GPU is watched in these runs; see gpus_test.go
				continue
			}
			on := slices.ContainsFunc(r.Values, func(v benchfmt.Value) bool { return v.Unit == m.Name || v.OrigUnit == m.Name })
			assert.True(t, on || slices.Contains(leftOut, m.Name), "%s: neither on the line nor left out: %s", r.Name, m.Name)
		}
	}
}

// TestAllMetrics asks for every metric there is.
func TestAllMetrics(t *testing.T) {
	t.Parallel()
	c := runChild(t, tiny("-metrics=all")...)
	assert.Zero(t, c.status(), c.all())
	assert.Equal(t, tinyCells, c.cells())
	shownOrNamed(t, c, func(measure.Metric) bool { return true })
}

// TestNothingToRecord names no cell: the older record must not give way to an empty one.
func TestNothingToRecord(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	require.Zero(t, runChild(t, tiny("-record="+dir, "-test.bench=Latency")...).status())
	old := files(t, dir)
	c := runChild(t, tiny("-record="+dir, "-test.bench=Latnecy")...)
	assert.Equal(t, 1, c.status())
	assert.Equal(t, fmt.Sprintf("vllmbench: -bench=Latnecy matches no cell, so there is nothing to save in %s: -bench=. is all of them\n", dir), c.stderr.String())
	t.Log(c.stderr.String())
	assert.Equal(t, old, files(t, dir))
}

// TestCompare has benchstat compare two runs against servers with different
// flags: one table a unit, with a verdict in each.
func TestCompare(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	save := func(name string, config vllmsim.Config) {
		c := runChild(t, tiny("-url="+simulate(t, config), "-test.count=6", "-test.bench=Throughput", "-output=5", "-metrics=tok/s,req/s,p50-e2e-ns,engine-queue-ns,in-flight")...)
		require.Zero(t, c.status(), c.all())
		require.Len(t, c.cells(), 12)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(c.stdout.String()), 0o666))
	}
	save("old.txt", vllmsim.Config{})
	save("new.txt", vllmsim.Config{MaxNumSeqs: 1})
	cmd := exec.Command("go", "tool", "benchstat", "-format=csv", filepath.Join(dir, "old.txt"), filepath.Join(dir, "new.txt"))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())

	tables := regexp.MustCompile(`(?m)^,([^,]+),CI,([^,]+),CI,vs base,P$`).FindAllStringSubmatch(string(out), -1)
	var units []string
	for _, m := range tables {
		assert.Equal(t, m[1], m[2])
		units = append(units, m[1])
	}
	assert.ElementsMatch(t, []string{"sec/op", "tok/s", "req/s", "p50-e2e-sec", "engine-queue-sec", "in-flight"}, units, "%s", out)
	assert.Equal(t, strings.Count(string(out), ",CI,"), 2*len(tables), "a table has one run only:\n%s", out)
}
