package results

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/engine"
	"vllmbench/internal/measure"
)

// real is a path of the runs that this module keeps.
func real(name string) string { return filepath.Join("..", "..", "results", name) }

// load writes text into a file and loads it.
func load(t *testing.T, text string) (*Run, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "some.txt")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o666))
	return Load(path)
}

const printed = `server: vllm
model: m
gpu: NVIDIA H200 x2
workload: completions, token-id prompts, exact output length, prompt=20/output=7 unless named, greedy, every prompt new
Unit tok/s better=higher
# url http://h:1, version 0.20.2, context 8192 tokens
# server settings: max-num-seqs=8 kv-cache-dtype=auto dtype=bfloat16
# gpu 0: NVIDIA H200, card GPU-89228d8f-b0d8, driver 580.1, limit 700 W
# gpu 1: NVIDIA H200, driver 580.1, limit 650 W
# gpu: 125 W when idle
# stamps: kernel; client: a loop of N streams without a barrier, nice -10
# limits changed: errors=1
goos: linux
goarch: amd64
cpu: A fast one
BenchmarkLatency-4   	 3	 484760676 ns/op	 0 merged-%	 14284364 p50-ttft-ns	 206.2 tok/s
BenchmarkThroughput/batch=16-4   	 2	 484760676 ns/op	 14284364 p50-ttft-ns	 206.2 tok/s
--- FAIL: BenchmarkThroughput/batch=32
    output_test.go:97: void: ledger: 13 requests are not ours; 2 requests failed
--- FAIL: BenchmarkThroughput
BenchmarkSeqLen/prompt=9/output=5-4   	 2	 484760676 ns/op	 14284364 p50-ttft-ns	 NaN tok/s
BenchmarkLatency-4   	 5	 484760677 ns/op	 13284364 p50-ttft-ns	 207.2 tok/s
Benchmark
BenchmarkSomething/of-others-4   	 1000	 3.25 ns/op	 16 B/op
BenchmarkLatency-4   	 5	 4847
--- FAIL: BenchmarkQuiet
PASS
# left out: p99-ttft-ns, p99-itl-ns in every row, each for its figure, the first: 3 samples, of the 1000 that bound it
# left out: J/tok in Latency Throughput/batch=16, because: the counter, in short, stands
`

func TestLoadText(t *testing.T) {
	run, err := load(t, printed)
	require.NoError(t, err)
	require.NoError(t, run.Close())
	assert.Equal(t, "some", run.Name)
	assert.True(t, run.Text)
	assert.Equal(t, 1, run.Units.GetBetter("tok/s"))
	assert.Equal(t, Environment{OS: "linux", Arch: "amd64", CPU: "A fast one"}, run.Header.Environment)
	assert.Equal(t, "kernel", run.Header.Stamps)
	assert.Equal(t, 125.0, run.Header.IdlePower)
	assert.Equal(t, map[string]string{"endpoint": "completions", "extensions": "on", "prompt": "20", "output": "7", "limits": "errors=1"}, run.Header.Flags)
	assert.Equal(t, []Device{
		{Index: 0, Name: "NVIDIA H200", UUID: "GPU-89228d8f-b0d8", Driver: "580.1", PowerLimit: 700},
		{Index: 1, Name: "NVIDIA H200", Driver: "580.1", PowerLimit: 650},
	}, run.Header.Devices)

	var names, void []string
	for _, r := range run.Rows {
		names = append(names, r.Measured.Name)
		void = append(void, r.Measured.Void...)
	}
	assert.Equal(t, []string{"Latency", "Throughput/batch=16", "Throughput/batch=32", "SeqLen/prompt=9/output=5", "Latency", "Something/of-others", "Quiet"}, names)
	assert.Equal(t, []string{"ledger: 13 requests are not ours", "2 requests failed", "it failed and does not say why"}, void)
	assert.Equal(t, measure.Cell{Experiment: "seqlen", Name: "SeqLen/prompt=9/output=5", Batch: 1, PromptTokens: 9, OutputTokens: 5}, run.Rows[3].Measured.Cell)
	assert.Equal(t, measure.Cell{Experiment: "throughput", Name: "Throughput/batch=32", Batch: 32, PromptTokens: 20, OutputTokens: 7}, run.Rows[2].Measured.Cell)
	assert.Equal(t, measure.Cell{Name: "Something/of-others"}, run.Rows[5].Measured.Cell)
	assert.Equal(t, []measure.Value{{Metric: "ns/op", Value: 484760676}, {Metric: "merged-%", Value: 0}, {Metric: "p50-ttft-ns", Value: 14284364}, {Metric: "tok/s", Value: 206.2}}, run.Rows[0].Measured.Values)
	assert.Equal(t, []int{1, 1, 1, 1, 2, 1, 1}, repetitions(run))
	assert.Equal(t, []measure.LeftOut{
		{Metric: "p99-ttft-ns", Rule: "left out", Reason: "3 samples, of the 1000 that bound it"},
		{Metric: "p99-itl-ns", Rule: "left out", Reason: "3 samples, of the 1000 that bound it"},
		{Metric: "J/tok", Rule: "left out", Reason: "the counter, in short, stands"},
	}, run.Rows[1].Measured.LeftOut)
	assert.Empty(t, run.Rows[2].Measured.LeftOut, "a void row")

	all := strings.Join(run.Warnings, "\n")
	assert.Contains(t, all, "tok/s of SeqLen/prompt=9/output=5-4 is NaN")
	assert.Contains(t, all, "some.txt:25: ")
	assert.Contains(t, all, "neither requests nor GPU samples")
	for _, err := range run.Requests(0) {
		assert.NoError(t, err, "none are promised")
	}
}

func repetitions(run *Run) (n []int) {
	for _, r := range run.Rows {
		n = append(n, r.Repetition)
	}
	return n
}

func TestLoadTextOfVerbose(t *testing.T) {
	run, err := load(t, "BenchmarkA\nBenchmarkA/x=1\nBenchmarkA/x=1-2 	 10	 31.1 ns/op\nBenchmarkA/x=2\n    a_test.go:3: a log\n    a_test.go:4: void: a; b\n--- FAIL: BenchmarkA/x=2\n--- FAIL: BenchmarkA\n")
	require.NoError(t, err)
	require.Len(t, run.Rows, 2)
	assert.Equal(t, "A/x=2", run.Rows[1].Measured.Name)
	assert.Equal(t, []string{"a", "b"}, run.Rows[1].Measured.Void)
	assert.Nil(t, run.Header.Server)
}

// TestLoadTextKeepsProcs: what differs between results stays in their names.
func TestLoadTextKeepsProcs(t *testing.T) {
	run, err := load(t, "BenchmarkA-2 	 10	 31.1 ns/op\nBenchmarkA-4 	 10	 20 ns/op\n")
	require.NoError(t, err)
	assert.Equal(t, []string{"A-2", "A-4"}, []string{run.Rows[0].Measured.Name, run.Rows[1].Measured.Name})
}

func TestLoadTextOfTwoModels(t *testing.T) {
	run, err := load(t, "model: a\nBenchmarkA 1 2 ns/op\nmodel: b\nBenchmarkA 1 2 ns/op\nBenchmarkA 1 2 ns/op\n")
	require.NoError(t, err)
	assert.Equal(t, 1, strings.Count(strings.Join(run.Warnings, "\n"), "more than one model: what is said of the run is true of the first (a)"))
}

func TestLoadRefuses(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "none"))
	require.ErrorContains(t, err, "cannot read the run: ")
	_, err = load(t, "goos: linux\nPASS\n")
	require.ErrorContains(t, err, "some.txt holds no result of a benchmark: give the output of go test -bench, or the folder of a saved run")
	_, err = load(t, "--- FAIL: BenchmarkA\n    a_test.go:1: void: no\n")
	require.ErrorContains(t, err, "holds no result of a benchmark, but 1 benchmarks that failed: ")
}

// TestTextAgreesWithFolder loads a run as it was printed and as it was saved:
// what both hold is the same.
func TestTextAgreesWithFolder(t *testing.T) {
	for _, name := range []string{"baseline", "week3"} {
		t.Run(name, func(t *testing.T) {
			text, err := Load(real(name + ".txt"))
			require.NoError(t, err)
			folder, err := Load(real(name))
			require.NoError(t, err)
			t.Cleanup(func() { folder.Close() })
			assert.False(t, folder.Text)
			assert.Equal(t, folder.Name, text.Name)
			// An interrupted run prints what it did not come to, and has no record of it.
			ran := slices.DeleteFunc(text.Rows, func(r Row) bool {
				return slices.ContainsFunc(r.Measured.Void, func(why string) bool { return strings.Contains(why, "the run was interrupted") })
			})
			assert.Equal(t, !folder.Complete, len(ran) < len(text.Rows))
			require.Len(t, ran, len(folder.Rows))
			values := 0
			for i, row := range ran {
				saved := folder.Rows[i].Measured
				assert.Equal(t, saved.Cell, row.Measured.Cell)
				assert.Equal(t, saved.Ops, row.Measured.Ops)
				assert.Equal(t, folder.Rows[i].Repetition, row.Repetition)
				for _, v := range row.Measured.Values {
					if v.Metric == "ns/op" { // go test's own
						continue
					}
					want, ok := saved.Value(v.Metric)
					require.True(t, ok, v.Metric)
					assert.InEpsilon(t, want, v.Value, 1e-3, v.Metric) // four digits are printed
					values++
				}
				for _, l := range row.Measured.LeftOut {
					assert.True(t, slices.ContainsFunc(saved.LeftOut, func(s measure.LeftOut) bool { return s.Metric == l.Metric }), "%s of %s", l.Metric, saved.Name)
				}
			}
			assert.Greater(t, values, 1000)
			var a, b engine.Info
			require.NoError(t, json.Unmarshal(folder.Header.Server, &a))
			require.NoError(t, json.Unmarshal(text.Header.Server, &b))
			assert.Equal(t, a.Settings(), b.Settings())
			assert.Len(t, a.Settings(), 12)
			assert.Equal(t, []any{a.Kind, a.Version, a.Model, a.URL, a.MaxModelLen, a.TokenIDs}, []any{b.Kind, b.Version, b.Model, b.URL, b.MaxModelLen, b.TokenIDs})
		})
	}
}

// FuzzText reads any text as that of a run: every row has a name and either values or reasons, and all can be exported.
func FuzzText(f *testing.F) {
	f.Add([]byte(printed))
	f.Add([]byte("BenchmarkA 1 2 ns/op\n--- FAIL: BenchmarkA\n"))
	f.Add([]byte("workload: prompt=1/output=1 unless named\nBenchmarkThroughput/batch=+3 1 1e308 ns/op\n# gpu 99999999999999999999: x, limit 3 W\n# left out: a in b, because: c\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		run, err := readText(text, "f.txt")
		if err != nil {
			require.Nil(t, run)
			return
		}
		require.NotEmpty(t, run.Rows)
		require.NoError(t, WriteMetricsJSON(io.Discard, run))
		for _, r := range run.Rows {
			require.Positive(t, r.Repetition)
			require.False(t, len(r.Measured.Void) > 0 && len(r.Measured.Values) > 0)
		}
	})
}
