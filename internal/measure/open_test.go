package measure

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/client"
	"vllmbench/internal/slo"
)

// single is an open loop before a server of one slot that answers each request
// in 10 ms, the first token after 4 of them: Lindley's recursion gives the waits.
func single(due []time.Duration) []client.Result {
	var rs []client.Result
	free := time.Duration(0)
	for _, at := range due {
		begin := max(at, free)
		free = begin + 10*ms
		r := answer(begin, 4*ms, 3*ms, 3)
		r.Intended, r.Scheduled, r.Sent = at, true, at
		rs = append(rs, r)
	}
	return rs
}

// offered are n Poisson arrivals at a load of the server above.
func offered(load float64, n int, seed uint64) (due []time.Duration) {
	r := rand.New(rand.NewPCG(seed, 1))
	at := 0.0
	for range n {
		at += r.ExpFloat64() / load * 0.01
		due = append(due, time.Duration(at*1e9))
	}
	return due
}

func openRun(rs []client.Result, w Window) *Run {
	return &Run{
		Cell: Cell{Experiment: "arrivals", Name: "Arrivals/rate=50", Rate: 50, PromptTokens: 20, OutputTokens: 3}, Ops: 1, Window: w,
		Streams: [][]client.Result{rs}, Server: counted([][]client.Result{rs}), Stamps: client.KernelStamps, CPU: ms, Procs: 2,
	}
}

// TestOpenLoopCountsFromWhenItWasDue has two requests that come while the server is busy.
func TestOpenLoopCountsFromWhenItWasDue(t *testing.T) {
	rs := single([]time.Duration{100 * ms, 102 * ms, 104 * ms, 200 * ms})
	rs[1].Sent += ms / 8
	rs[2].Connect = ms / 8
	r := openRun(rs, Window{100 * ms, 200 * ms}) // the last one is due when it is over
	r.SLO = slo.SLO{TTFT: 20 * ms}
	row := r.Row()
	assert.Equal(t, "ttft:20ms", row.SLO)
	assert.Equal(t, 3, row.Requests)
	assert.InDelta(t, (4+12+20)/3.0*1e6, value(t, row, "mean-ttft-ns"), 1)
	assert.InDelta(t, (10+18+26)/3.0*1e6, value(t, row, "mean-e2e-ns"), 1)
	assert.InDelta(t, 30, value(t, row, "offered-req/s"), 1e-9)
	assert.InDelta(t, 100, value(t, row, "served-%"), 1e-9)
	assert.InDelta(t, 100.0/3, value(t, row, "new-conn-%"), 1e-9)
	assert.Zero(t, value(t, row, "p50-late-ns"))
	assert.InDelta(t, 30, value(t, row, "goodput-req/s"), 1e-9, "20 ms are within")
	assert.Empty(t, row.Void)
	r.SLO.TTFT--
	row = r.Row()
	assert.InDelta(t, 200.0/3, value(t, row, "slo-%"), 1e-9)
}

func TestOpenLoopFaults(t *testing.T) {
	due := offered(0.5, 1000, 1)
	w := Window{due[100], due[900]}
	for _, tt := range []struct {
		name   string
		change func(*Run)
		metric string // that must be left out
		rule   string // "": it is there
		why    string
	}{
		{"clean", func(*Run) {}, "p90-e2e-ns", "", ""},
		{"late", func(r *Run) {
			for i := range r.Streams[0] {
				r.Streams[0][i].Sent += time.Duration(i%50) * 20 * time.Microsecond
			}
		}, "mean-ttft-ns", "late", "requests that the client sent late are "},
		{"late, but not for E2E", func(r *Run) {
			for i := range r.Streams[0] {
				r.Streams[0][i].Sent += time.Duration(i%50) * 20 * time.Microsecond
			}
		}, "p50-e2e-ns", "", ""},
		{"late, so that the SLO is missed", func(r *Run) {
			for i := range r.Streams[0] {
				for j := range r.Streams[0][i].Events {
					r.Streams[0][i].Events[j].At += 16 * ms
				}
				r.Streams[0][i].Sent += 16 * ms
			}
		}, "goodput-req/s", "late", " % of the requests missed the SLO because the client sent them late, over 1 %"},
		{"late, but not for the gaps", func(r *Run) { r.Streams[0][500].Sent += time.Second }, "p50-itl-ns", "", ""},
		{"overload", func(r *Run) {
			rs := single(offered(1.1, 1000, 1))
			r.Streams[0], r.Window = rs, Window{rs[100].Intended, rs[900].Intended}
		}, "p50-ttft-ns", "growth", "there is no steady state at this rate"},
		{"overload by design", func(r *Run) {
			rs := single(offered(1.1, 1000, 1))
			r.Streams[0], r.Window, r.Varies = rs, Window{rs[100].Intended, rs[900].Intended}, true
		}, "p50-ttft-ns", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := openRun(single(due), w)
			r.SLO = slo.SLO{TTFT: 20 * ms}
			tt.change(r)
			r.Server = counted(r.Streams)
			row := r.Row()
			require.Empty(t, row.Void)
			i := slices.IndexFunc(row.LeftOut, func(l LeftOut) bool { return l.Metric == tt.metric })
			if tt.rule == "" {
				assert.Equal(t, -1, i, "%v", row.LeftOut)
				value(t, row, tt.metric)
				return
			}
			require.NotEqual(t, -1, i, "%v", row.LeftOut)
			assert.Equal(t, tt.rule, row.LeftOut[i].Rule)
			assert.Contains(t, row.LeftOut[i].Reason, tt.why)
			value(t, row, "tok/s")
			value(t, row, "served-%")
		})
	}
}

// TestGrowth has the rule judge steady and overloaded queues of 200 seeds each.
func TestGrowth(t *testing.T) {
	for _, tt := range []struct {
		load     float64
		n        int // arrivals in the window
		from, to int // of 200 that are called unsteady
	}{
		{0.5, 100, 0, 0}, {0.5, 1000, 0, 0}, {0.8, 100, 0, 10}, {0.8, 1000, 0, 2}, {0.9, 1000, 0, 20},
		{1.05, 1000, 120, 200}, {1.1, 100, 60, 200}, {1.1, 1000, 190, 200}, {1.5, 100, 190, 200},
	} {
		t.Run(fmt.Sprintf("load=%v/arrivals=%d", tt.load, tt.n), func(t *testing.T) {
			found := 0
			for seed := range uint64(200) {
				due := offered(tt.load, tt.n+tt.n/5, seed)
				r := openRun(single(due), Window{due[tt.n/5], due[len(due)-1]})
				found += len(r.unsteady(look(r.Streams, r.Window, 0, r.SLO)))
			}
			assert.GreaterOrEqual(t, found, tt.from)
			assert.LessOrEqual(t, found, tt.to)
			t.Logf("%d of 200 are called unsteady", found)
		})
	}
}
