package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"vllmbench/client"
	"vllmbench/internal/capacity"
	"vllmbench/internal/load"
	"vllmbench/internal/measure"
)

// A hunt is one search.
type hunt struct {
	*session
	axis    string // "rate" or "batch"
	cell    measure.Cell
	request func() client.Request // the next one; all windows draw from one sequence of lengths
	alone   time.Duration         // E2E of a request on the idle server
	taken   int                   // windows
	found   []probed              // those that count
	full    int                   // of these, that -in-flight-max ended
}

// A probed is a probe's load, and its window.
type probed struct {
	load    float64
	met     int
	seconds float64
	window  measure.Window
}

// seek searches, puts the answer on the line and into the record, and returns it in words.
func (h *hunt) seek(b *testing.B) string {
	if h.gone != nil {
		h.failed++
		b.Fatalf("not run: %v", h.gone)
	}
	h.request = h.next(h.cell)
	rs, err := h.pilot(h.cell, 1, max(flags.warmup, 1), h.request)
	if err == nil {
		h.alone = rs[len(rs)-1].E2E()
		var a capacity.Answer
		if a, err = h.search().Run(h.ctx); err == nil {
			return h.tell(b, a)
		}
	}
	h.failed++
	b.Fatal(err)
	return ""
}

// search is over all loads that can be asked for. A rate begins where every
// other request would meet another one.
func (h *hunt) search() capacity.Search {
	s := capacity.Search{Measure: h.probe, Target: sizing.share / 100, Probes: sizing.probes, From: 1, Max: float64(flags.inFlightMax), Whole: true}
	if h.axis == "rate" {
		each := 1 / h.alone.Seconds()
		s.From, s.Begin, s.Max, s.Whole = each/lowest, each/2, each*float64(flags.inFlightMax), false
	}
	return s
}

// takes is how many windows of one load may be spoilt by a client that sent late.
const takes = 3

// probe measures a window of fresh requests at a load. One that the client
// spoilt says nothing of the server: another one is taken in its place.
func (h *hunt) probe(_ context.Context, load float64) (w capacity.Window, err error) {
	for range takes {
		c := h.cell
		c.Name = fmt.Sprintf("Capacity/%s=%g", h.axis, load)
		row, run, err := h.take(c, load)
		if err != nil {
			return w, err
		}
		if w, err = h.judge(row, run); !errors.Is(err, errLate) {
			return w, err
		}
	}
	return w, fmt.Errorf("of each of %d windows %w: give the client a processor of its own", takes, errLate)
}

var errLate = errors.New("the share that met -slo is unknown, since the client sent requests late")

// take measures one window as a row of its own.
func (h *hunt) take(c measure.Cell, load float64) (row measure.Row, run *measure.Run, err error) {
	h.taken++
	var send window
	if h.axis == "batch" {
		c.Batch = int(load)
		send = h.closedWindow(c, h.request, enough(c.Batch))
	} else {
		c.Rate = load
		p, err := h.pattern(load).pace(h.seed() + uint64(h.taken)<<32)
		if err != nil {
			return row, nil, err
		}
		// Half a window comes before it: until the queue has grown to its length, more requests meet the SLO.
		send = h.openWindow(p, max(h.alone, p.length/(2*rampRequests)), h.request)
	}
	h.line.Begin(c.Name)
	h.page.Begin(c.Name)
	run, err = h.measure(c, func() error { return nil }, send)
	if run == nil {
		h.line.End(err.Error())
		h.page.Void(c.Name)
		return row, nil, err
	}
	row, err = h.settle(run, err)
	return row, run, err
}

// judge is what the row says of its load. Whatever else than the load spoilt it is an error.
func (h *hunt) judge(row measure.Row, run *measure.Run) (w capacity.Window, err error) {
	p := probed{load: max(run.Rate, float64(run.Batch)), window: row.Window}
	if full(run) { // whoever cannot even be sent is not served
		h.found = append(h.found, p)
		h.full++
		return capacity.Window{Requests: run.Ops, Overloaded: true}, nil
	}
	if len(row.Void) > 0 {
		return w, fmt.Errorf("void: %s", strings.Join(row.Void, "; "))
	}
	share := func(metric string) bool { return metric == "slo-%" }
	if i := slices.IndexFunc(row.Values, func(v measure.Value) bool { return share(v.Metric) }); i >= 0 {
		w.Requests = row.Values[i].N
		w.Met = int(math.Round(row.Values[i].Value / 100 * float64(w.Requests)))
	} else {
		i := slices.IndexFunc(row.LeftOut, func(l measure.LeftOut) bool { return share(l.Metric) })
		switch l := row.LeftOut[i]; l.Rule {
		case "growth":
			w = capacity.Window{Requests: run.Ops, Overloaded: true}
		case "late":
			return w, errLate
		default:
			return w, fmt.Errorf("the share that met -slo is left out: %s", l.Reason)
		}
	}
	p.met, p.seconds = w.Met, row.Window.Length().Seconds()
	h.found = append(h.found, p)
	return w, nil
}

// full says whether requests could not be sent since too many were in flight, and nothing else failed.
func full(run *measure.Run) bool {
	dropped := false
	for _, r := range slices.Concat(run.Streams...) {
		if r.Outcome != client.Dropped && r.Outcome != client.OK {
			return false
		}
		dropped = dropped || r.Outcome == client.Dropped
	}
	return dropped
}

// tell puts the answer on the line and into the record.
func (h *hunt) tell(b *testing.B, a capacity.Answer) string {
	unit := "req/s"
	if h.axis == "batch" {
		unit = h.axis
	}
	c := measure.Capacity{
		Name: "Capacity/" + h.axis, Unit: unit, Low: a.Low, Estimate: a.Estimate, High: a.High, Probes: len(a.Probes), Why: a.Why,
		PromptTokens: h.cell.PromptTokens, OutputTokens: h.cell.OutputTokens, SLO: flags.slo.String(),
		Window: measure.Window{From: h.found[0].window.From, To: h.found[len(h.found)-1].window.To},
	}
	met, seconds := 0.0, 0.0
	for _, p := range h.found {
		if p.load >= a.Low && (p.load < a.High || p.load == a.Estimate) {
			met, seconds = met+float64(p.met), seconds+p.seconds
		}
	}
	if seconds > 0 {
		c.Goodput = met / seconds
	}
	row := c.Row()
	if err := h.keep(row, nil); err != nil {
		h.failed++
		b.Fatal(err)
	}
	h.rows++
	for _, v := range row.Values {
		if slices.ContainsFunc(h.shown, func(m measure.Metric) bool { return m.Name == v.Metric }) {
			b.ReportMetric(v.Value, v.Metric)
		}
	}
	for _, l := range row.LeftOut {
		h.omit(row.Name, l)
	}
	if h.full > 0 {
		return fmt.Sprintf("%v; %d of the probes had %d requests in flight (-in-flight-max), which counts as not held", c, h.full, flags.inFlightMax)
	}
	return c.String()
}

// lowest is of the rates of a search: every 50th request would meet another one.
const lowest = 50

// pattern is the arrivals of a window at that rate.
func (h *hunt) pattern(rate float64) pattern {
	// Whatever comes early in the window ends in it.
	length := max(sizing.length, time.Duration(math.Ceil(float64(sizing.requests)/rate*1e9)), 4*h.alone)
	return pattern{h.axis, load.Arrivals{Phases: []load.Phase{{From: rate, To: rate, For: length}}, Burstiness: flags.burstiness}}
}

// enough says whether a window of a closed loop takes another operation.
func enough(batch int) (more func() bool) {
	var began time.Time
	sent := -batch
	return func() bool {
		if sent += batch; sent == 0 {
			began = time.Now()
		}
		return sent < sizing.requests || time.Since(began) < sizing.length
	}
}
