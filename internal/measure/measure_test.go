package measure

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/client"
	"vllmbench/internal/engine"
)

const ms = time.Millisecond

// answer is a request sent at sent whose first token comes after ttft and
// whose other tokens follow every itl.
func answer(sent, ttft, itl time.Duration, tokens int) client.Result {
	r := client.Result{Sent: sent, PromptTokens: 20, OutputTokens: tokens, FinishReason: "length", Reused: true, Outcome: client.OK}
	for i := range tokens {
		r.Events = append(r.Events, client.Event{At: sent + ttft + time.Duration(i)*itl, Lag: 50 * time.Microsecond, Tokens: 1})
	}
	r.End = r.Events[tokens-1].At + 100*time.Microsecond
	return r
}

// steady is a stream without pauses: each request takes 50 + 9 x 10 = 140 ms,
// and the next one is sent 0.1 ms after its end.
func steady(requests int) []client.Result {
	var rs []client.Result
	sent := time.Duration(0)
	for range requests {
		r := answer(sent, 50*ms, 10*ms, 10)
		rs = append(rs, r)
		sent = r.End + 100*time.Microsecond
	}
	return rs
}

// counted is what a server counts of the streams, with a front end that adds 2 ms to TTFT.
func counted(streams [][]client.Result) engine.Delta {
	var d engine.Delta
	known := func(v *engine.Value, n float64) { *v = engine.Value{N: v.N + n, Known: true} }
	for _, rs := range streams {
		for _, r := range rs {
			known(&d.Requests, 1)
			known(&d.PromptTokens, float64(r.PromptTokens))
			known(&d.GenerationTokens, float64(r.OutputTokens))
			known(&d.PrefixQueries, float64(r.PromptTokens))
			known(&d.PrefixHits, 0)
			d.TTFT = engine.Hist{Sum: d.TTFT.Sum + (r.TTFT() - 2*ms).Seconds(), Count: d.TTFT.Count + 1, Known: true}
			d.ITL = engine.Hist{Sum: d.ITL.Sum + (r.E2E() - r.TTFT()).Seconds(), Count: d.ITL.Count + float64(r.OutputTokens-1), Known: true}
			d.Queue = engine.Hist{Sum: d.Queue.Sum + 0.001, Count: d.Queue.Count + 1, Known: true}
		}
	}
	return d
}

// clean is a run of two streams in which nothing went wrong: the ramp is
// each stream's first request, the window the next three, the tail the last.
func clean() *Run {
	streams := [][]client.Result{steady(5), steady(5)}
	return &Run{
		Cell:    Cell{Experiment: "throughput", Name: "Throughput/batch=2", Batch: 2, PromptTokens: 20, OutputTokens: 10},
		Ops:     3,
		Window:  Window{streams[0][0].Events[9].At, streams[0][3].Events[9].At},
		Streams: streams,
		Server:  counted(streams),
		Stamps:  client.KernelStamps,
		CPU:     2 * ms,
		Procs:   2,
	}
}

func value(t *testing.T, row Row, metric string) float64 {
	t.Helper()
	v, ok := row.Value(metric)
	require.True(t, ok, "%s is missing; left out: %v", metric, row.LeftOut)
	return v
}

func TestRowOfACleanRun(t *testing.T) {
	row := clean().Row()
	require.Empty(t, row.Void)
	assert.Equal(t, 6, row.Requests)

	period := 140.2 / 1000 // seconds from one request's end to the next one's, 0.2 ms of it between them
	for metric, want := range map[string]float64{
		"tok/s":           20 / period,
		"total-tok/s":     60 / period,
		"req/s":           2 / period,
		"p50-ttft-ns":     50e6,
		"mean-ttft-ns":    50e6,
		"p50-itl-ns":      10e6,
		"mean-itl-ns":     10e6,
		"p50-tpot-ns":     10e6,
		"p50-e2e-ns":      140e6,
		"engine-ttft-ns":  48e6,
		"egress-ttft-ns":  2e6,
		"engine-itl-ns":   10e6,
		"engine-queue-ns": 1e6,
		"p50-lag-ns":      50e3,
		"merged-%":        0,
		"turnaround-%":    100 * 0.1 / 140,
		"cpu-ns/tok":      2e6 / 60,
		"in-flight":       2 * 140 / 140.2,
		"prefix-hit-%":    0,
		"prompt-tok/req":  20,
		"out-tok/req":     10,
		"tok/event":       1,
		"errors/op":       0,
	} {
		assert.InEpsilon(t, 1+want, 1+value(t, row, metric), 1e-6, metric)
	}
}

// A window's throughput must not depend on how many requests are in it, and
// must not have ramp or tail in it.
func TestThroughputIsTheWindows(t *testing.T) {
	for _, requests := range []int{3, 10, 100} {
		rs := steady(requests)
		r := clean()
		r.Streams = [][]client.Result{rs}
		r.Server = counted(r.Streams)
		r.Window = Window{rs[0].Events[9].At, rs[requests-2].Events[9].At}
		row := r.Row()
		assert.InEpsilon(t, 10/0.1402, value(t, row, "tok/s"), 1e-9, "%d requests", requests)
	}
}

// A request that straddles the window's edge gives it the tokens that arrived inside.
func TestTokensAreCreditedByTheirOwnTime(t *testing.T) {
	r := clean()
	r.Streams = [][]client.Result{{answer(0, 50*ms, 10*ms, 10)}} // tokens at 50, 60, ... 140 ms
	r.Server = counted(r.Streams)
	r.Window = Window{60 * ms, 100 * ms}
	row := r.Row()
	assert.InEpsilon(t, 4/0.04, value(t, row, "tok/s"), 1e-9, "those at 70, 80, 90 and 100 ms")
	assert.Contains(t, row.Void, "no request ended inside the window")
}

// An event with several tokens is several gaps, not one.
func TestITLIsOfTokensNotEvents(t *testing.T) {
	r := clean()
	one := answer(0, 50*ms, 10*ms, 4)
	for i := range one.Events {
		one.Events[i].Tokens = 5
	}
	one.OutputTokens = 20
	r.Streams = [][]client.Result{{one}}
	r.Server = counted(r.Streams)
	r.Server.ITL = engine.Hist{Sum: 0.030, Count: 15, Known: true}
	r.Window = Window{0, time.Second}
	row := r.Row()
	assert.Equal(t, 2e6, value(t, row, "p50-itl-ns"))
	assert.Equal(t, 2e6, value(t, row, "mean-itl-ns"))
	assert.Equal(t, 2e6, value(t, row, "p50-tpot-ns"))
	assert.Equal(t, 5.0, value(t, row, "tok/event"))
	assert.Equal(t, Pair{"itl", 2e6, 2e6}, row.Wire[1])
}

func TestMetricsTableHasEveryMetricOnce(t *testing.T) {
	row := clean().Row()
	seen := map[string]bool{}
	for _, m := range Metrics(DefaultQuantiles) {
		assert.False(t, seen[m.Name], m.Name)
		seen[m.Name] = true
		assert.NotEmpty(t, m.Doc)
	}
	last := -1
	names := Metrics(DefaultQuantiles)
	for _, v := range row.Values {
		require.True(t, seen[v.Metric], "%s is not in the table", v.Metric)
		for i, m := range names {
			if m.Name == v.Metric {
				assert.Greater(t, i, last, "%s is out of order", v.Metric)
				last = i
			}
		}
	}
	shown := 0
	for _, m := range names {
		if m.Default && m.Of(&row) {
			shown++
		}
	}
	assert.LessOrEqual(t, shown, 14)
}
