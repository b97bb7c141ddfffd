package results

import (
	"encoding/csv"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/measure"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// exported is a run with all that a run can have: two repetitions, a metric
// that is missing in one of them, and void rows.
func exported(t *testing.T, dir string) *Run {
	t.Helper()
	w, err := Create(dir, header("n"))
	require.NoError(t, err)
	first, second := row("throughput", "Throughput/batch=4", 0), row("throughput", "Throughput/batch=4", 1)
	second.Values = append(second.Values, measure.Value{Metric: "in-flight", Value: 3.75})
	second.Values[0].Value = 1e21
	void := row("throughput", "Throughput/batch=4", 2)
	void.Void = []string{"ledger: 13 requests are not ours", `2 requests failed, "truncated"`}
	latency := row("latency", "Latency", 3)
	latency.LeftOut, latency.Ledger, latency.Wire = nil, nil, nil
	for i, r := range []measure.Row{first, latency, second, void, row("seqlen", "SeqLen/prompt=200/output=100", 4)} {
		require.NoError(t, w.Row(r, requests(i)))
	}
	require.NoError(t, w.Close(true))
	return reopen(t, dir)
}

func TestExportGolden(t *testing.T) {
	root := t.TempDir()
	baseline := exported(t, filepath.Join(root, "baseline"))
	record(t, filepath.Join(root, "week3"), "w", 1)
	out := filepath.Join(root, "new", "folder")
	want := []string{"latency_results.csv", "throughput_results.csv", "sequence_length_results.csv", "baseline_metrics.json", "week3_metrics.json"}
	for range 2 { // the second time, over the files of the first
		paths, err := Export(out, []*Run{baseline, reopen(t, filepath.Join(root, "week3"))})
		require.NoError(t, err)
		require.Len(t, paths, len(want))
		for i, path := range paths {
			assert.Equal(t, filepath.Join(out, want[i]), path)
		}
		assert.Len(t, names(t, out), len(want), "nothing else is left there")
	}
	for _, name := range want {
		got, err := os.ReadFile(filepath.Join(out, name))
		require.NoError(t, err)
		golden := filepath.Join("testdata", name)
		if *update {
			require.NoError(t, os.WriteFile(golden, got, 0o666))
		}
		text, err := os.ReadFile(golden)
		require.NoError(t, err)
		assert.Equal(t, string(text), string(got), name)
	}
}

func TestCSVHasOneObservationALine(t *testing.T) {
	dir := t.TempDir()
	run := exported(t, filepath.Join(dir, "baseline"))
	paths, err := WriteCSV(dir, []*Run{run})
	require.NoError(t, err)
	seen := map[string]int{}
	for _, path := range paths {
		f, err := os.Open(path)
		require.NoError(t, err)
		lines, err := csv.NewReader(f).ReadAll() // holds every line to the number of columns
		require.NoError(t, err)
		require.NoError(t, f.Close())
		for _, l := range lines[1:] {
			seen[l[11]]++
			assert.Equal(t, l[11] == "ok", l[9] != "", "only what is proven has a value: %v", l)
		}
	}
	// Five rows of two values and one metric left out, but one is void, one has one value more, one leaves nothing out.
	assert.Equal(t, map[string]int{"ok": 9, "left_out": 3, "void": 1}, seen)
}

func TestExportRefuses(t *testing.T) {
	root := t.TempDir()
	run := exported(t, filepath.Join(root, "a", "baseline"))
	file := filepath.Join(root, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o666))
	w, err := Create(filepath.Join(root, "other"), header("n"))
	require.NoError(t, err)
	require.NoError(t, w.Row(row("weather", "Weather", 0), nil))
	require.NoError(t, w.Close(true))

	for _, c := range []struct {
		name, dir string
		runs      []*Run
		says      string
	}{
		{"two of one name", root, []*Run{run, run}, "two runs are named baseline: rename the folder of one"},
		{"a file as folder", file, []*Run{run}, "exporting into " + file},
		{"no CSV file", root, []*Run{reopen(t, filepath.Join(root, "other"))}, `run other has a row of experiment "weather", for which there is no CSV file`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Export(c.dir, c.runs)
			require.ErrorContains(t, err, c.says)
		})
	}
	assert.Equal(t, []string{"a", "file", "other"}, names(t, root), "nothing was written")
}

func TestExportThatFailsLeavesTheOlderFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(path, []byte("older"), 0o666))
	require.ErrorIs(t, replace(path, func(w io.Writer) error {
		_, err := io.WriteString(w, "half")
		require.NoError(t, err)
		return io.ErrClosedPipe
	}), io.ErrClosedPipe)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "older", string(text))
	assert.Len(t, names(t, filepath.Dir(path)), 1)
}

func TestMedianAndUnit(t *testing.T) {
	values := []float64{4, 1, 3, 2}
	assert.Equal(t, 2.5, median(values))
	assert.Equal(t, []float64{4, 1, 3, 2}, values, "the order of repetitions stays")
	assert.Equal(t, 7.0, median([]float64{7}))
	for metric, want := range map[string]string{
		"tok/s": "tok/s", "total-tok/s": "tok/s", "p50-ttft-ns": "ns", "merged-%": "%", "peak-B": "B",
		"in-flight": "", "errors/op": "errors/op", "cpu-ns/tok": "ns/tok", "gpu-clock-Hz": "Hz",
	} {
		assert.Equal(t, want, measure.Unit(metric), metric)
	}
}

// TestCSVOfLoads: the rows of other experiments have files of their own, which runs without
// such rows do not make, but empty.
func TestCSVOfLoads(t *testing.T) {
	root := t.TempDir()
	w, err := Create(filepath.Join(root, "load"), header("n"))
	require.NoError(t, err)
	open, closed := row("arrivals", "Arrivals/rate=7.5", 0), row("prefix", "Prefix/shared=50", 1)
	open.Rate, open.Batch, open.SLO = 7.5, 0, "ttft:500ms"
	for _, r := range []measure.Row{open, closed, row("probe", "Capacity/rate=3", 2), row("capacity", "Capacity/rate", 3)} {
		require.NoError(t, w.Row(r, nil))
	}
	require.NoError(t, w.Close(true))
	out := filepath.Join(root, "out")
	read := func(name string) [][]string {
		f, err := os.Open(filepath.Join(out, name))
		require.NoError(t, err)
		defer f.Close()
		lines, err := csv.NewReader(f).ReadAll()
		require.NoError(t, err)
		return lines
	}
	_, err = Export(out, []*Run{reopen(t, filepath.Join(root, "load"))})
	require.NoError(t, err)
	assert.NoFileExists(t, filepath.Join(out, "turns_results.csv"))
	lines := read("arrivals_results.csv")
	assert.Equal(t, []string{"status", "reason", "cell", "rate", "slo"}, lines[0][11:])
	assert.Equal(t, []string{"Arrivals/rate=7.5", "7.5", "ttft:500ms"}, lines[1][13:])
	assert.Equal(t, []string{"Prefix/shared=50", "", ""}, read("prefix_results.csv")[1][13:])
	seen := map[string]bool{}
	for _, l := range read("capacity_results.csv")[1:] {
		seen[l[2]] = true
	}
	assert.Equal(t, map[string]bool{"probe": true, "capacity": true}, seen)

	_, err = Export(out, []*Run{exported(t, filepath.Join(root, "baseline"))})
	require.NoError(t, err)
	assert.Len(t, read("arrivals_results.csv"), 1, "what lies there is of these runs")
}
