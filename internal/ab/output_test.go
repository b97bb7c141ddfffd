package ab

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestParseSavedRun reads a saved run of a real vLLM: nothing of it is lost.
func TestParseSavedRun(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "results", "baseline.txt"))
	require.NoError(t, err)
	o := parse(string(text))
	require.NoError(t, o.fault())
	assert.Len(t, o.results, strings.Count(string(text), "\nBenchmark"))
	before, _, _ := strings.Cut(string(text), "\nBenchmark")
	assert.Equal(t, strings.Split(before, "\n"), o.head, "configuration, units and comments")
	assert.Len(t, o.tail, strings.Count(string(text), "\n# ")-strings.Count(before, "\n# "))
	assert.Equal(t, map[string]string{
		"server": "vllm", "model": "qwen2.5-7b", "gpu": "NVIDIA H200", "goos": "linux", "goarch": "amd64", "pkg": "vllmbench/bench", "cpu": "Intel(R) Xeon(R) Processor",
		"workload": "completions, token-id prompts, exact output length, prompt=200/output=100 unless named, greedy, every prompt new",
	}, o.config)
	assert.Equal(t, []direction{{"tok/s", "higher"}, {"req/s", "higher"}, {"p50-ttft-ns", "lower"}}, o.better[:3])
	printed := regexp.MustCompile(`\nBenchmark(Latency\S*)\s.*\s(\d+) p50-itl-ns`).FindStringSubmatch(string(text))
	require.NotNil(t, printed)
	itl, ok := o.value(printed[1], "p50-itl-ns")
	assert.True(t, ok)
	assert.Equal(t, printed[2], strconv.FormatFloat(itl, 'f', -1, 64), "as it was printed, not in seconds")
	assert.Contains(t, o.setting(settings), "max-num-seqs=1024")
}

func TestFault(t *testing.T) {
	const row = "BenchmarkLatency-2 \t 3\t 100 ns/op\n"
	for _, c := range []struct {
		name, text, said string
		exit             int
		want             string // "": none
		hopeless         bool
	}{
		{"well", row + "PASS\n", "", 0, "", false},
		{"verbose", "goos: linux\nBenchmarkLatency\n" + row, "", 0, "", false},
		{"nothing", "", "", 0, "no benchmark ran", true},
		{"skipped", "BenchmarkSeqLen-2 \t 1\t 0.0 ns/op\n", "", 0, "no benchmark ran", true},
		{"refused", "", "vllmbench: no server answers", 1, "the benchmarks failed: no server answers", true},
		{"killed", row, "", -1, "the benchmarks failed with exit status -1", false},
		{"a row failed", row + "BenchmarkThroughput/batch=1-2 \t--- FAIL: BenchmarkThroughput/batch=1-2\r\n    cell_test.go:58: not run: the server is gone\r\n--- FAIL: BenchmarkThroughput\nFAIL\n", "", 1,
			"1 of 2 benchmarks failed, the first Throughput/batch=1-2: not run: the server is gone", false},
		{"mixed up", row + "BenchmarkThroughput/batch=1-2 \t left 3\n", "", 0, "line 2 of the benchmarks' output is no result", false},
		{"endless line", row + "# " + strings.Repeat("x", 1<<17) + "\n", "", 0, "the benchmarks' output cannot be read: ", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := parse(c.text)
			o.exit, o.said = c.exit, c.said
			if c.want == "" {
				assert.NoError(t, o.fault())
			} else {
				assert.ErrorContains(t, o.fault(), c.want)
			}
			assert.Equal(t, c.hopeless, o.hopeless())
		})
	}
}

// FuzzParse makes sure that what was read can be read again from a side's file.
func FuzzParse(f *testing.F) {
	f.Add("server: vllm\nUnit tok/s better=higher\n# x\nBenchmarkA-2 \t 3\t 100 ns/op 5 tok/s\nPASS\n# y\n")
	f.Add("BenchmarkA-2 \t--- FAIL: BenchmarkA-2\n    cell_test.go:58: void: x\nFAIL\n")
	f.Add("k: v\nk:\nBenchmarkA 1 2 B 3 MB/s\r\nUnit\nUnit x\nk: w\nBenchmarkB 1 0 ns/op\n")
	f.Fuzz(func(t *testing.T, text string) {
		o := parse(text)
		_ = o.fault()
		if o.broken != nil {
			return
		}
		var file strings.Builder
		require.NoError(t, legs{{turn{leg: 1, block: 1}, o, time.Time{}}}.render(&file, 4))
		again := parse(file.String())
		require.Len(t, again.results, len(o.results), "%s", file.String())
		for i, r := range o.results {
			require.Equal(t, r.line, again.results[i].line)
		}
	})
}
