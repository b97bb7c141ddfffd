package compare

import (
	"bytes"
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

var update = flag.Bool("update", false, "rewrite the golden files")

// load loads one of the runs that this module keeps.
func load(t *testing.T, name string) *results.Run {
	t.Helper()
	run, err := results.Load(filepath.Join("..", "..", "results", name))
	require.NoError(t, err)
	t.Cleanup(func() { run.Close() })
	return run
}

// text loads a run from the lines of go test -bench.
func text(t *testing.T, name, lines string) *results.Run {
	t.Helper()
	path := filepath.Join(t.TempDir(), name+".txt")
	require.NoError(t, os.WriteFile(path, []byte(lines), 0o666))
	run, err := results.Load(path)
	require.NoError(t, err)
	return run
}

func gates(t *testing.T, s string) []Gate {
	t.Helper()
	g, err := ParseGates(s)
	require.NoError(t, err)
	return g
}

// verdicts are those of one metric by benchmark.
func verdicts(r *Report, metric string) map[string]string {
	out := map[string]string{}
	for i := range r.Metrics {
		if r.Metrics[i].Metric == metric {
			for _, l := range r.Metrics[i].lines() {
				out[l.Benchmark] = l.Verdict
			}
		}
	}
	return out
}

// TestRealChange: what --max-num-seqs 8 does to a real vLLM.
func TestRealChange(t *testing.T) {
	for _, runs := range [][2]string{{"baseline", "week3"}, {"baseline.txt", "week3.txt"}, {"baseline", "week3.txt"}, {"cpu-baseline.txt", "cpu-week3.txt"}} {
		t.Run(fmt.Sprint(runs), func(t *testing.T) {
			r, err := Compare(load(t, runs[0]), load(t, runs[1]), Config{Gates: gates(t, "tok/s:3%")})
			require.NoError(t, err)
			assert.Equal(t, Fail, r.Verdict)
			assert.Equal(t, 1, r.Exit())
			assert.Equal(t, 19, r.Comparisons)
			assert.Equal(t, "max-num-seqs", r.Differences[0].Name)
			v := verdicts(r, "tok/s")
			assert.Equal(t, Fail, v["Throughput/batch=16"])
			assert.Equal(t, Fail, v["Throughput/batch=32"])
			assert.Equal(t, Fail, v["geomean of 18"])
			failed := 3
			if !strings.HasPrefix(runs[0], "cpu") {
				assert.Equal(t, Pass, v["Throughput/batch=1"])
				// With 8 sequences vLLM captures no CUDA graph for 50 tokens, see results/README.md.
				assert.Equal(t, Fail, v["SeqLen/prompt=50/output=50"])
				failed = 4
			}
			assert.Equal(t, failed, r.Verdicts[Fail], "%v", v)
		})
	}
}

// TestHalvesOfOneRun: the same server against itself never fails, and where
// it is quiet enough it passes.
func TestHalvesOfOneRun(t *testing.T) {
	for _, c := range []struct{ run, old, verdict string }{
		{"cpu-baseline.txt", "/^[1-5]$/", Inconclusive}, {"cpu-baseline.txt", "/[13579]/", Inconclusive}, {"cpu-week3.txt", "/^[1-5]$/", Inconclusive},
		{"baseline", "/[1-4]/", Inconclusive}, {"baseline.txt", "/[1357]/", Inconclusive},
	} {
		for _, gate := range []string{"tok/s:3%", "tok/s:3%,p50-ttft-ns:5%,p50-itl-ns:3%,p50-e2e-ns:3%", "tok/s:0%,p50-ttft-ns:0%,p50-e2e-ns:0%"} {
			filter := fmt.Sprintf("(side:old repetition:%s) OR (side:new -repetition:%s)", c.old, c.old)
			r, err := Compare(load(t, c.run), load(t, c.run), Config{Gates: gates(t, gate), Filter: filter})
			require.NoError(t, err)
			assert.Equal(t, c.verdict, r.Verdict, "%v %s", c, gate)
			assert.Zero(t, r.Verdicts[Fail], "%v %s", c, gate)
			assert.Empty(t, r.Differences)
		}
	}
	whole, err := Compare(load(t, "baseline"), load(t, "baseline"), Config{Gates: gates(t, "tok/s:3%"), Filter: ".name:SeqLen -/output:50"})
	require.NoError(t, err)
	assert.Equal(t, Pass, whole.Verdict)
	assert.Zero(t, whole.Exit())
}

// TestTwoBaselines: two starts of the same server differ, by what no gate of a few percent fails.
func TestTwoBaselines(t *testing.T) {
	r, err := Compare(load(t, "baseline-earlier.txt"), load(t, "baseline.txt"), Config{Gates: gates(t, "tok/s:3%,p50-ttft-ns:20%,p50-itl-ns:3%")})
	require.NoError(t, err)
	assert.Empty(t, r.Differences)
	assert.Zero(t, r.Verdicts[Fail])
	assert.NotZero(t, r.Verdicts[Pass])
}

// lines are n repetitions of a benchmark whose values rise by a little from one to the next.
func lines(name string, n int, metrics ...any) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "Benchmark%s-2 10", name)
		for k := 0; k < len(metrics); k += 2 {
			fmt.Fprintf(&b, " %v %s", metrics[k].(float64)*(1+0.001*float64(i)), metrics[k+1])
		}
		b.WriteString("\n")
	}
	return b.String()
}

const head = "server: vllm\nmodel: m\nworkload: completions, token-id prompts, exact output length, prompt=200/output=100 unless named\n"

// odd is a pair of runs with all that can be amiss.
func odd(t *testing.T) (old, new *results.Run) {
	return text(t, "old", head+"# server settings: max-num-seqs=8 dtype=bfloat16\n# url http://h, version 0.20.2, context 100 tokens\n"+
			lines("Latency", 8, 100.0, "tok/s", 5e6, "p50-ttft-ns", 0.0, "preemptions/op")+
			lines("Throughput/batch=4", 8, 400.0, "tok/s", 7e6, "p50-ttft-ns", 1e6, "p99-itl-ns")+
			lines("Throughput/batch=8", 3, 800.0, "tok/s", 9e6, "p50-ttft-ns", 1e6, "p99-itl-ns")+
			lines("Throughput/batch=16", 8, 1600.0, "tok/s", 9e6, "p50-ttft-ns")+
			lines("Throughput/batch=32", 8, 3200.0, "tok/s")),
		text(t, "new", head+"# server settings: max-num-seqs=8 dtype=float16\n# url http://h, version 0.32.0, context 100 tokens\n# stamps: kernel;\n"+
			lines("Latency", 8, 106.0, "tok/s", 4e6, "p50-ttft-ns", 0.0, "preemptions/op")+
			lines("Throughput/batch=4", 8, 390.0, "tok/s", 7.35e6, "p50-ttft-ns")+
			"--- FAIL: BenchmarkThroughput/batch=4\n    x_test.go:1: void: 2 requests failed\n--- FAIL: BenchmarkThroughput/batch=4\n    x_test.go:1: void: 2 requests failed; foreign traffic\n"+
			lines("Throughput/batch=8", 3, 801.0, "tok/s", 0.0, "p50-ttft-ns")+
			"--- FAIL: BenchmarkThroughput/batch=16\n    x_test.go:1: void: the server died\n"+
			lines("Throughput/batch=64", 8, 6400.0, "tok/s")+
			"# left out: p99-itl-ns in Throughput/batch=4, because: 297 samples, of the 1000 that bound it\n")
}

func TestOddRuns(t *testing.T) {
	old, new := odd(t)
	r, err := Compare(old, new, Config{Gates: gates(t, "tok/s:3%,p50-ttft-ns:5%,p99-itl-ns:5%,preemptions/op:0%")})
	require.NoError(t, err)
	assert.Equal(t, []Void{{"Throughput/batch=4", 2, []string{"2 requests failed", "foreign traffic"}}, {"Throughput/batch=16", 1, []string{"the server died"}}}, r.New.Void)
	assert.Equal(t, []string{"Throughput/batch=32"}, r.OnlyInOld)
	assert.Equal(t, []string{"Throughput/batch=64"}, r.OnlyInNew)
	reasons := map[string]string{}
	for i := range r.Metrics {
		for _, l := range r.Metrics[i].lines() {
			reasons[r.Metrics[i].Metric+" "+l.Benchmark] = strings.TrimSpace(l.Verdict + " " + l.Reason)
		}
	}
	assert.Equal(t, map[string]string{
		"tok/s Latency":                      "PASS",
		"tok/s Throughput/batch=4":           "PASS", // 2.5 % slower, and quiet
		"tok/s Throughput/batch=8":           "INCONCLUSIVE 3 and 3 repetitions: nothing is decided with fewer than 5",
		"tok/s Throughput/batch=16":          "INCONCLUSIVE void in the new run: the server died",
		"tok/s Throughput/batch=32":          "INCONCLUSIVE not in the new run",
		"tok/s geomean of 3":                 "PASS",
		"p50-ttft-ns Latency":                "PASS",
		"p50-ttft-ns Throughput/batch=4":     "INCONCLUSIVE", // on the gate's edge
		"p50-ttft-ns Throughput/batch=8":     "INCONCLUSIVE it was 0 or less, which has no ratio",
		"p50-ttft-ns Throughput/batch=16":    "INCONCLUSIVE void in the new run: the server died",
		"p50-ttft-ns Throughput/batch=32":    "INCONCLUSIVE in neither run",
		"p50-ttft-ns geomean of 2":           "PASS",
		"p99-itl-ns Latency":                 "INCONCLUSIVE in neither run",
		"p99-itl-ns Throughput/batch=4":      "INCONCLUSIVE left out in the new run: 297 samples, of the 1000 that bound it",
		"p99-itl-ns Throughput/batch=8":      "INCONCLUSIVE not in the new run",
		"p99-itl-ns Throughput/batch=16":     "INCONCLUSIVE void in the new run: the server died",
		"p99-itl-ns Throughput/batch=32":     "INCONCLUSIVE in neither run",
		"preemptions/op Latency":             "PASS 0 in every repetition of both",
		"preemptions/op Throughput/batch=4":  "INCONCLUSIVE in neither run",
		"preemptions/op Throughput/batch=8":  "INCONCLUSIVE in neither run",
		"preemptions/op Throughput/batch=16": "INCONCLUSIVE void in the new run: the server died",
		"preemptions/op Throughput/batch=32": "INCONCLUSIVE in neither run",
	}, reasons)
	assert.Equal(t, Inconclusive, r.Verdict)
	assert.Equal(t, 2, r.Exit())
	assert.Equal(t, 1, r.AtEdge)
	assert.Positive(t, r.NotCompared)
}

func TestGolden(t *testing.T) {
	old, new := odd(t)
	oddRuns, err := Compare(old, new, Config{Gates: gates(t, "tok/s:3%,p50-ttft-ns:5%"), OldPath: "old.txt", NewPath: "new.txt"})
	require.NoError(t, err)
	real, err := Compare(load(t, "baseline"), load(t, "week3"), Config{Gates: gates(t, "tok/s:3%,p50-ttft-ns:25%"), Filter: ".name:(Latency OR Throughput)"})
	require.NoError(t, err)
	plain, err := Compare(load(t, "baseline.txt"), load(t, "week3.txt"), Config{Metrics: []string{"tok/s", "gpu-mem-B"}})
	require.NoError(t, err)
	for name, r := range map[string]*Report{"odd": oddRuns, "real": real, "plain": plain} {
		for _, format := range []string{Text, Markdown, JSON} {
			var got bytes.Buffer
			require.NoError(t, r.Write(&got, format))
			path := filepath.Join("testdata", name+"."+format)
			if *update {
				require.NoError(t, os.WriteFile(path, got.Bytes(), 0o666))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, string(want), got.String(), path)
		}
	}
	assert.ErrorContains(t, real.Write(&bytes.Buffer{}, "pdf"), `format "pdf" is none: text, md and json are`)
}

// TestTextFits: no line of a table is wider than 100 columns.
func TestTextFits(t *testing.T) {
	for _, file := range []string{"odd.text", "real.text", "plain.text"} {
		golden, err := os.ReadFile(filepath.Join("testdata", file))
		require.NoError(t, err)
		for line := range strings.Lines(string(golden)) {
			if strings.Contains(line, "  ") {
				assert.LessOrEqual(t, len([]rune(strings.TrimSuffix(line, "\n"))), 100, line)
			}
		}
	}
}
