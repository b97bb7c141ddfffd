// Package measure joins what the client saw with what the server counted into
// one row of metrics, or says why there is none.
//
// A fault voids what it touches and nothing else: a row is void when requests
// failed or the ledger does not balance, a metric is left out when its own
// conditions do not hold.
package measure

import (
	"fmt"
	"time"

	"vllmbench/client"
	"vllmbench/gpuprobe"
	"vllmbench/internal/engine"
	"vllmbench/internal/slo"
)

// A Run is all that was seen of one cell.
type Run struct {
	Cell
	Ops     int
	Window  Window
	Streams [][]client.Result // each stream's requests in order: ramp, window, tail
	Server  engine.Delta      // what the server counted from before the first to after the last of these
	Gauges  []Gauge           // what the server said of its requests in flight, before, in and after these
	Opened  int               // connections opened inside the window
	Stamps  client.Stamps
	CPU     time.Duration // CPU time of this process inside the window; 0 if the system does not tell
	Procs   int           // processors that this process may use

	// Lateness is how late timers fired during the run, which under user
	// stamps stands in for the lag that only the kernel could tell.
	Lateness []time.Duration

	GPU           *gpuprobe.Usage // what the GPUs did in just that window; nil: there are none to watch
	GPUNotServers string          // why these GPUs are not the server's; "": nothing speaks against it
	Floor         *Floor          // what model and GPUs allow; nil: not known

	Quantiles []int // in percent; nil: DefaultQuantiles
	Limits    Limits

	// Varies says that an open loop's rate changes by design, so that a queue that grows tells nothing.
	Varies bool

	// Prefix says what the server's prefix cache should hold of the prompts. Nil: nothing,
	// since all are new.
	Prefix *Prefix

	// Think is how long a stream waits by design between its requests.
	Think time.Duration

	SLO slo.SLO // what goodput is measured by; zero: there is none

	// Reopens says that the server closes each connection after its answer, so that
	// every request opens one of its own.
	Reopens bool

	RequireLedger bool // a row that the server's counters do not prove is void
}

// Row measures the run. It needs no more than that: the same run gives the same row.
func (r *Run) Row() Row {
	if r.Quantiles == nil {
		r.Quantiles = DefaultQuantiles
	}
	s := look(r.Streams, r.Window, r.Think, r.SLO)
	row := Row{Cell: r.Cell, Ops: r.Ops, Window: r.Window, Requests: s.requests, SLO: r.SLO.String()}
	row.Ledger = r.ledger()
	row.Wire = pairs(r.Streams, r.Server)
	row.Void = r.void(s, row.Ledger)

	t := &table{row: &row, faults: r.faults(s, row.Wire)}
	r.throughput(t, s)
	r.latency(t, s)
	r.byTurn(t, s)
	r.arrivals(t, s)
	r.goodput(t, s)
	r.engine(t, row.Wire)
	r.gpu(t, s)
	r.floor(t, s)
	r.client(t, s)
	t.order(r.Quantiles)
	return row
}

func (r *Run) throughput(t *table, s *sight) {
	sec := r.Window.Length().Seconds()
	if sec <= 0 {
		return
	}
	t.put("tok/s", float64(s.tokens)/sec, s.tokens)
	t.put("total-tok/s", float64(s.tokens+s.promptTokens)/sec, s.tokens+s.promptTokens)
	t.put("req/s", float64(s.requests)/sec, s.requests)
}

func (r *Run) latency(t *table, s *sight) {
	for _, l := range []struct {
		name string
		sample
	}{{"ttft", s.ttft}, {"itl", s.itl}, {"tpot", s.tpot}, {"e2e", s.e2e}} {
		for _, q := range r.Quantiles {
			t.quantile(fmt.Sprintf("p%d-%s-ns", q, l.name), l.sample, q, r.Limits.of(limitTail))
		}
		if len(l.sample) > 0 {
			t.put("mean-"+l.name+"-ns", l.mean(), len(l.sample))
		}
	}
}

func (r *Run) engine(t *table, wire []Pair) {
	if r.Server.Several {
		for _, m := range serverMetrics {
			if m.Name == "prefix-expected-%" && r.Prefix == nil {
				continue
			}
			t.leave(m.Name, ruleProcesses, r.Server.Why+": the ledger cannot be trusted")
		}
		return
	}
	for _, p := range wire {
		switch p.Name {
		case "ttft":
			t.put("engine-ttft-ns", p.Server, 0)
			t.put("egress-ttft-ns", p.Wire-p.Server, 0)
		case "itl":
			t.put("engine-itl-ns", p.Server, 0)
		}
	}
	for _, h := range []struct {
		name string
		engine.Hist
	}{{"engine-queue-ns", r.Server.Queue}, {"engine-prefill-ns", r.Server.Prefill}, {"engine-decode-ns", r.Server.Decode}} {
		if mean, ok := h.Mean(); ok {
			t.put(h.name, mean*1e9, int(h.Count))
		}
	}
	r.prefix(t)
	if p := r.Server.Preemptions; p.Known && r.Ops > 0 {
		t.put("preemptions/op", p.N/float64(r.Ops), 0)
	}
}

func (r *Run) client(t *table, s *sight) {
	if r.Stamps == client.KernelStamps {
		t.quantile("p50-lag-ns", s.lag, 50, r.Limits.of(limitTail))
		t.quantile("p99-lag-ns", s.lag, 99, r.Limits.of(limitTail))
	}
	t.put("merged-%", 100*share(float64(s.merged), float64(s.events)), s.events)
	if !r.Open() {
		t.put("turnaround-%", 100*share(s.turnaround.mean(), s.e2e.mean()), len(s.turnaround))
	}
	if r.CPU > 0 {
		t.put("cpu-ns/tok", share(float64(r.CPU), float64(s.tokens)), 0)
	}
	t.put("in-flight", share(float64(s.inFlight), float64(r.Window.Length())), 0)
	t.put("prompt-tok/req", share(float64(s.asked), float64(s.requests)), s.requests)
	t.put("out-tok/req", share(float64(s.generated), float64(s.requests)), s.requests)
	t.put("tok/event", share(float64(s.tokens), float64(s.events)), s.events)
	if r.Ops > 0 {
		t.put("errors/op", float64(s.failed)/float64(r.Ops), 0)
	}
}
