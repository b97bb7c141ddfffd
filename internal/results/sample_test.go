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
		Environment:   Environment{OS: "linux", Arch: "amd64", CPU: "A <fast> one", Cores: 2, Kernel: "Linux 6.1", Go: "go1.26", Commit: "abc+dirty"},
		Server:        json.RawMessage(`{"version":"0.32.0"}`),
		Flags:         map[string]string{"batches": "1,4"},
		Stamps:        "kernel",
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
	}
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
	os.Exit(m.Run())
}
