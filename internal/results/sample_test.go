package results

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"vllmbench/client"
	"vllmbench/internal/measure"
	"vllmbench/internal/roofline"
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 250, time.UTC)

// header is one that Create has nothing to fill in.
func header(nonce string) Header {
	return Header{
		SchemaVersion: SchemaVersion,
		Run:           "baseline",
		Started:       epoch.Add(-time.Second),
		Epoch:         epoch,
		Nonce:         nonce,
		Environment:   Environment{OS: "linux", Arch: "amd64", CPU: "A <fast> one", Cores: 2, Kernel: "Linux 6.1", Go: "go1.26", Commit: "abc+dirty", Procs: 2, Boot: "b7"},
		Server:        json.RawMessage(`{"version":"0.32.0"}`),
		Flags:         map[string]string{"batches": "1,4"},
		Stamps:        "kernel",
		Devices:       []Device{{Index: 0, Name: "A GPU", UUID: "GPU-1", Driver: "580.1", Memory: 80 << 30, PowerLimit: 400}, {Index: 1, Name: "A GPU", Simulated: true}},
		IdlePower:     69.4,
		Model:         &roofline.Model{Name: "tiny", Layers: 2, Heads: 4, KVHeads: 4},
		Peaks:         &roofline.GPU{Name: "A GPU", Bandwidth: 2e12, FLOPS: 3e14},
	}
}

// row is the i-th row of a run, from 0: it is never the same twice.
func row(experiment, name string, i int) measure.Row {
	return measure.Row{
		Cell:     measure.Cell{Experiment: experiment, Name: name, Batch: 4, PromptTokens: 200, OutputTokens: 100},
		Ops:      3,
		Window:   measure.Window{From: time.Duration(i) * time.Minute, To: time.Duration(i)*time.Minute + 20*time.Second},
		Requests: 12,
		Values:   []measure.Value{{Metric: "output-tok/s", Value: 100.5 + float64(i)}, {Metric: "p50-ttft-ns", Value: 5e6 - float64(i), N: 12}},
		LeftOut:  []measure.LeftOut{{Metric: "p99-itl-ns", Rule: "samples", Reason: fmt.Sprintf("%d samples, of the 100 that bound it (p99 > 99 %% of them)", 12+i)}},
		Ledger:   []measure.Account{{Name: "requests", Ours: 12, Server: 12, Known: true}},
		Wire:     []measure.Pair{{Name: "ttft", Wire: 5.1e6, Server: 2.5e6}},
		Gaps:     []measure.Window{{From: time.Duration(i)*time.Minute + time.Second, To: time.Duration(i)*time.Minute + 2*time.Second}},
	}
}

// samples are n samples of two GPUs in the i-th row of a run, from 0. The second one tells little.
func samples(i, n int) []GPUSample {
	var all []GPUSample
	for k := range n {
		is := func(v float64) *float64 { v += float64(k); return &v }
		all = append(all, GPUSample{At: time.Duration(i)*time.Minute + time.Duration(k)*time.Second/2, GPUs: []GPUReading{
			{Busy: is(0), SM: is(0.5), DRAM: is(0.25), Tensor: is(0.125), Memory: is(1 << 36), Power: is(310.5), Clock: is(1.98e9), Temperature: is(61), Throttled: []string{"power cap"}},
			{Power: is(70)},
		}})
	}
	return all
}

// requests are n requests with events of different kinds.
func requests(n int) []client.Result {
	all := make([]client.Result, n)
	for i := range all {
		at := time.Duration(i) * time.Millisecond
		all[i] = client.Result{
			Intended: at, Sent: at + 10, FirstByte: at + 5000, End: at + 90000,
			PromptTokens: 200, OutputTokens: 4, FinishReason: "length", Reused: i > 0, Attempts: 1, Outcome: client.OK,
			Events: []client.Event{
				{At: at + 6000, Tokens: 1, Lag: time.Duration(i)},
				{At: at + 7001, Tokens: 1 + i%2},
				{At: at + 7001, Tokens: 1, Merged: i%3 == 0},
			},
		}
	}
	return all
}

// record saves a run of n rows in dir.
func record(t testing.TB, dir, nonce string, n int) {
	t.Helper()
	w, err := Create(dir, header(nonce))
	require.NoError(t, err)
	for i := range n {
		require.NoError(t, w.GPU(samples(i, 3)))
		require.NoError(t, w.Row(row("throughput", "Throughput/batch=4", i), requests(i+1)))
	}
	require.NoError(t, w.Close(true))
	require.Equal(t, dir, w.Dir())
}

// reopen opens dir for the length of the test.
func reopen(t testing.TB, dir string) *Run {
	t.Helper()
	run, err := Open(dir)
	require.NoError(t, err)
	t.Cleanup(func() { run.Close() })
	return run
}

// whole reads the requests of row i and the error at their end.
func whole(run *Run, i int) (reqs []client.Result, err error) {
	for res, err := range run.Requests(i) {
		if err != nil {
			return reqs, err
		}
		reqs = append(reqs, res)
	}
	return reqs, nil
}

func names(t testing.TB, dir string) []string {
	t.Helper()
	found, err := contents(dir)
	require.NoError(t, err)
	return found
}

func TestMain(m *testing.M) {
	if dir := os.Getenv("RESULTS_TEST_WRITER"); dir != "" {
		fmt.Fprintln(os.Stderr, writeForever(dir))
		os.Exit(1)
	}
	if dir := os.Getenv("RESULTS_TEST_EXPORTER"); dir != "" {
		fmt.Fprintln(os.Stderr, exportForever(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}
