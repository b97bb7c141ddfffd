package figure

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"vllmbench/client"
	"vllmbench/internal/answers"
	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// A planned row is one that save writes.
type planned struct {
	row      measure.Row
	requests []client.Result
}

// save records rows as a run and opens it.
func save(t testing.TB, name string, rows []planned, samples []results.GPUSample) *results.Run {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	var h results.Header
	if len(samples) > 0 {
		h.Devices = slices.Repeat([]results.Device{{Name: "GPU", PowerLimit: 350}}, len(samples[0].GPUs))
	}
	w, err := results.Create(dir, h)
	require.NoError(t, err)
	for _, p := range rows {
		require.NoError(t, w.Row(p.row, p.requests))
	}
	require.NoError(t, w.GPU(samples))
	require.NoError(t, w.Close(true))
	run, err := results.Open(dir)
	require.NoError(t, err)
	t.Cleanup(func() { run.Close() })
	return run
}

// sweep plans repetitions of the throughput and length experiments: batch 4
// has its last token late, and a run that is slower takes longer for all.
func sweep(repetitions int, slower float64) (rows []planned) {
	at := time.Second
	add := func(row measure.Row) *planned {
		row.Window = measure.Window{From: at, To: at + time.Second}
		rows = append(rows, planned{row, burst(row, at)})
		at += 2 * time.Second
		return &rows[len(rows)-1]
	}
	for r := range repetitions {
		noise := 1 + 0.01*float64(r)
		for _, batch := range []int{1, 2, 4} {
			itl := 5e6 * slower * noise * (1 + 0.05*float64(batch))
			add(measure.Row{
				Cell: measure.Cell{Experiment: "throughput", Name: fmt.Sprintf("Throughput/batch=%d", batch), Batch: batch, PromptTokens: 200, OutputTokens: 100},
				Values: values("tok/s", float64(batch)*1e9/itl, "p50-itl-ns", itl, "mean-itl-ns", itl, "decode-floor-%", 50/slower/noise/(1+0.05*float64(batch)),
					"p50-ttft-ns", 2e7*float64(batch)*noise, "J/tok", 2/float64(batch), "engine-queue-ns", 4e5*float64(batch*batch), "preemptions/op", 0),
			})
		}
		for _, prompt := range []int{10, 100} {
			for _, output := range []int{20, 40} {
				ttft := (1e7 + 2e4*float64(prompt)) * noise
				add(measure.Row{
					Cell:   measure.Cell{Experiment: "seqlen", Name: fmt.Sprintf("SeqLen/prompt=%d/output=%d", prompt, output), Batch: 1, PromptTokens: prompt, OutputTokens: output},
					Values: values("mean-ttft-ns", ttft, "engine-ttft-ns", ttft-1e6, "p50-tpot-ns", 5e6*slower, "mean-e2e-ns", ttft+5e6*slower*float64(output)),
				})
			}
		}
	}
	return rows
}

func values(pairs ...any) (all []measure.Value) {
	for i := 0; i < len(pairs); i += 2 {
		v, ok := pairs[i+1].(float64)
		if !ok {
			v = float64(pairs[i+1].(int))
		}
		all = append(all, measure.Value{Metric: pairs[i].(string), Value: v})
	}
	return all
}

// burst is one request for each in the batch, of 20 tokens.
func burst(row measure.Row, at time.Duration) (all []client.Result) {
	for i := range row.Batch {
		r := client.Result{Intended: at, Sent: at + time.Duration(i+1)*time.Millisecond, Outcome: client.OK, Attempts: 1, OutputTokens: 20}
		next := r.Sent + 20*time.Millisecond
		for k := range 20 {
			r.Events = append(r.Events, client.Event{At: next, Tokens: 1})
			next += 5*time.Millisecond + time.Duration(k*10+i)*time.Microsecond
		}
		r.End = next
		all = append(all, r)
	}
	return all
}

// summary is one with all that figures show of it.
func summary() answers.Summary {
	return answers.Summary{
		Knee:           &answers.Knee{Found: true, Batch: answers.Estimate{Value: 2.2, Low: new(1.9), High: new(2.5), N: 6}},
		Prefill:        &answers.Line{A: answers.Estimate{Value: 1e7}, B: answers.Estimate{Value: 2e4}, Straight: true},
		DecodeByPrompt: []answers.PromptLine{{PromptTokens: 10, Line: answers.Line{B: answers.Estimate{Value: 5e6}, Straight: true}}},
	}
}

// figuresOf is All with the same summary for each run, by ID.
func figuresOf(t testing.TB, runs ...*results.Run) map[string]Figure {
	t.Helper()
	summaries := make([]answers.Summary, len(runs))
	for i := range summaries {
		summaries[i] = summary()
	}
	all, err := All(runs, summaries)
	require.NoError(t, err)
	by := map[string]Figure{}
	for _, f := range all {
		require.NotContains(t, by, f.ID, "an ID names one figure")
		require.Regexp(t, `^[a-z0-9-]+$`, f.ID)
		by[f.ID] = f
	}
	return by
}

// golden compares v as JSON with a file.
func golden(t *testing.T, name string, v any) {
	t.Helper()
	got, err := json.MarshalIndent(v, "", " ")
	require.NoError(t, err)
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, append(got, '\n'), 0o666))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got)+"\n", "-update rewrites it")
}
