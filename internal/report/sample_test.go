package report

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"vllmbench/client"
	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

var update = flag.Bool("update", false, "write the golden files")

// hostile is what a server may call a model to break out of where it is shown.
const hostile = "m</script><img src=x onerror=alert(1)>|`x`\x1b[31m\u202e@user"

// A shape is what a sample run is like.
type shape struct {
	model       string
	repetitions int
	seqs        int // max-num-seqs: throughput grows no further
	requests    int // of each row
	samples     int // of the GPU, of each row
}

func header(s shape) results.Header {
	server, err := json.Marshal(map[string]any{
		"kind": "vllm", "version": "0.32.0", "model": s.model, "max_model_len": 4096,
		"server_info": map[string]any{"vllm_config": map[string]any{"scheduler_config": map[string]any{"max_num_seqs": s.seqs}}},
	})
	if err != nil {
		panic(err)
	}
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return results.Header{
		Started: start, Epoch: start, Nonce: "n", Server: server, Stamps: "kernel",
		Environment: results.Environment{OS: "linux", Arch: "amd64", CPU: "A CPU", Cores: 8, Kernel: "Linux 6.1", Go: "go1.26", Commit: "abc"},
		Devices:     []results.Device{{Name: "A GPU", Driver: "580.1", PowerLimit: 400}},
	}
}

// rows are those of one repetition, 18 cells as in a real run. They are never
// the same twice and always the same in every test.
func (s shape) rows(repetition int) (rows []measure.Row) {
	wobble := 1 + 0.002*float64(repetition%5)
	cell := func(experiment, name string, batch, prompt, output int) {
		running := float64(min(batch, s.seqs))
		ttft := (10 + 0.02*float64(prompt) + 40*max(0, float64(batch)-running)) * 1e6 * wobble
		itl := (5 + 0.05*running) * 1e6 * wobble
		e2e := ttft + itl*float64(output-1)
		from := time.Duration(18*repetition+len(rows)) * 2 * time.Second
		rows = append(rows, measure.Row{
			Cell:   measure.Cell{Experiment: experiment, Name: name, Batch: batch, PromptTokens: prompt, OutputTokens: output},
			Ops:    3,
			Window: measure.Window{From: from, To: from + time.Second}, Requests: s.requests,
			Values: []measure.Value{
				{Metric: "tok/s", Value: running * 1e9 / itl, N: 100}, {Metric: "req/s", Value: running * 1e9 / e2e, N: 10},
				{Metric: "p50-ttft-ns", Value: ttft, N: 10}, {Metric: "mean-ttft-ns", Value: ttft, N: 10},
				{Metric: "p50-itl-ns", Value: itl, N: 1000}, {Metric: "mean-itl-ns", Value: itl, N: 1000},
				{Metric: "p50-e2e-ns", Value: e2e, N: 10}, {Metric: "mean-e2e-ns", Value: e2e, N: 10},
				{Metric: "gpu-dram-%", Value: 60 / wobble, N: 10}, {Metric: "gpu-idle-%", Value: 2 * wobble, N: 10},
			},
			LeftOut: []measure.LeftOut{{Metric: "p99-ttft-ns", Rule: "samples", Reason: "10 samples, of the 1000 that bound it"}},
			Ledger:  []measure.Account{{Name: "finished requests", Ours: 10, Server: 10, Known: true}},
			Wire:    []measure.Pair{{Name: "ttft", Wire: ttft, Server: ttft * 0.9}},
			Gaps:    []measure.Window{{From: from + 100*time.Millisecond, To: from + 200*time.Millisecond}},
		})
	}
	cell("latency", "Latency", 1, 200, 100)
	for _, prompt := range []int{10, 50, 200, 1000} {
		for _, output := range []int{50, 100, 200} {
			cell("seqlen", fmt.Sprintf("SeqLen/prompt=%d/output=%d", prompt, output), 1, prompt, output)
		}
	}
	for _, batch := range []int{1, 4, 8, 16, 32} {
		cell("throughput", fmt.Sprintf("Throughput/batch=%d", batch), batch, 200, 100)
	}
	return rows
}

// sent are the requests of a row, the last of them failed.
func (s shape) sent(row measure.Row) []client.Result {
	all := make([]client.Result, s.requests)
	for i := range all {
		at := row.Window.From + time.Duration(i)*time.Millisecond
		all[i] = client.Result{Intended: at, Sent: at, Attempts: 1, PromptTokens: 200, OutputTokens: 20, Outcome: client.OK}
		for k := range 20 {
			all[i].Events = append(all[i].Events, client.Event{At: at + time.Duration(20+i+5*k)*time.Millisecond + time.Duration((i*37+k*k*11)%97)*10*time.Microsecond, Tokens: 1})
		}
		all[i].End = at + 200*time.Millisecond
	}
	return all
}

// memory is a run without requests: what a killed one may leave.
func memory(name string, s shape) *results.Run {
	run := &results.Run{Name: name, Header: header(s), Complete: true}
	for repetition := range s.repetitions {
		for _, row := range s.rows(repetition) {
			run.Rows = append(run.Rows, results.Row{Repetition: repetition + 1, Measured: row})
		}
	}
	return run
}

// saved records a run with requests and GPU samples in a folder and opens it.
func saved(t testing.TB, dir string, s shape) *results.Run {
	t.Helper()
	w, err := results.Create(dir, header(s))
	require.NoError(t, err)
	for repetition := range s.repetitions {
		for _, row := range s.rows(repetition) {
			var samples []results.GPUSample
			for i := range s.samples {
				busy, power := 0.9+0.1*float64(i%2), 300+float64(i%7)
				at := row.Window.From + time.Duration(i)*100*time.Millisecond
				samples = append(samples, results.GPUSample{At: at, GPUs: []results.GPUReading{{Busy: &busy, DRAM: &busy, Power: &power}}})
			}
			require.NoError(t, w.GPU(samples))
			require.NoError(t, w.Row(row, s.sent(row)))
		}
	}
	require.NoError(t, w.Close(true))
	return open(t, dir)
}

func open(t testing.TB, dir string) *results.Run {
	t.Helper()
	run, err := results.Open(dir)
	require.NoError(t, err)
	t.Cleanup(func() { run.Close() })
	return run
}

// many are n runs of the same contents and different names.
func many(t testing.TB, n int, s shape) (runs []*results.Run) {
	t.Helper()
	root := t.TempDir()
	first := filepath.Join(root, "run-1")
	runs = append(runs, saved(t, first, s))
	for i := 2; i <= n; i++ {
		dir := filepath.Join(root, fmt.Sprintf("run-%d", i))
		require.NoError(t, os.CopyFS(dir, os.DirFS(first)))
		runs = append(runs, open(t, dir))
	}
	return runs
}

// spoilt is a hostile run with a void cell whose values are absurd.
func spoilt(t testing.TB) *results.Run {
	run := memory("old | run", shape{model: hostile, repetitions: 6, seqs: 8})
	for i := range run.Rows {
		m := &run.Rows[i].Measured
		if m.Name == "Throughput/batch=16" {
			m.Void = []string{"3 requests failed: http_5xx: <b>" + hostile + "</b>"}
			m.Values[0].Value = 987654321
		}
	}
	return run
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o777))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o666))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func fileSize(t testing.TB, path string) int {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	return int(info.Size())
}
