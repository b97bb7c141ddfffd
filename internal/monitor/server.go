package monitor

import (
	"time"

	"vllmbench/internal/engine"
)

// patience is how many rounds in a row a server may leave without an answer
// before it counts as gone: a busy one may skip a beat.
const patience = 3

// A serverState is how the server stands.
type serverState struct {
	last   *engine.Snapshot
	silent int       // rounds since the last answer
	since  time.Time // of the first round without an answer; zero: it answers
	why    string
}

// gone says whether the server is away.
func (s *serverState) gone() bool { return !s.since.IsZero() && (s.why != "" || s.silent >= patience) }

func (s *State) addServer(r *row, t Tick) {
	if s.URL == "" {
		return
	}
	v := &s.server
	if t.Server == nil {
		s.noAnswer(t)
		return
	}
	away := v.gone()
	if away {
		s.say(t.At, kindServer, "server back after %s", brief(t.At.Sub(v.since)))
	}
	before := v.last
	*v = serverState{last: t.Server}
	r.gauges(t.Server, s.Interval)
	if before == nil {
		return
	}
	d := t.Server.Since(before)
	if d.Reset {
		s.say(t.At, kindServer, "%s: its counters begin anew", d.Why)
		return
	}
	s.totals.count(d)
	if d.Preemptions.N > 0 {
		s.say(t.At, kindEngine, "preemptions: %.0f", d.Preemptions.N)
	}
	if !away { // a rate over an outage is of no interval that is shown
		r.elapsed = d.Elapsed
		r.rates(d)
	}
}

func (s *State) noAnswer(t Tick) {
	v := &s.server
	was := v.gone()
	v.silent++
	if v.since.IsZero() {
		v.since = t.At
	}
	if t.Err != nil {
		v.why = t.Err.Error()
	}
	if v.gone() && !was {
		why := v.why
		if why == "" {
			why = "no answer to GET /metrics"
		}
		s.say(t.At, kindFault, "server gone: %s", why)
	}
}

// gauges takes what holds at the instant of the snapshot.
func (r *row) gauges(s *engine.Snapshot, interval time.Duration) {
	for q, v := range map[quantity]engine.Value{running: s.Running, waiting: s.Waiting, kvUse: s.KVUse} {
		r.cells[q] = cell{v.N, interval.Seconds(), v.Known, v.Known}
	}
}

// rates takes what was counted between two snapshots.
func (r *row) rates(d engine.Delta) {
	seconds := d.Elapsed.Seconds()
	if seconds <= 0 {
		return
	}
	for q, v := range map[quantity]engine.Value{
		outTokens: d.GenerationTokens, inTokens: d.PromptTokens, requests: d.Requests, preemptions: d.Preemptions,
	} {
		r.cells[q] = cell{v.N / seconds, seconds, v.Known, v.Known}
	}
	for q, h := range map[quantity]engine.Hist{
		ttft: d.TTFT, itl: d.ITL, e2e: d.E2E, queue: d.Queue, prefill: d.Prefill, decode: d.Decode,
	} {
		mean, ok := h.Mean()
		r.cells[q] = cell{mean, h.Count, h.Known, ok}
	}
	if q, h := d.PrefixQueries, d.PrefixHits; q.Known && h.Known {
		r.cells[prefixHits] = cell{offered: true}
		if q.N > 0 {
			r.cells[prefixHits] = cell{h.N / q.N, q.N, true, true}
		}
	}
}

func (t *totals) count(d engine.Delta) {
	t.seconds += d.Elapsed.Seconds()
	for _, v := range []struct {
		all *engine.Value
		one engine.Value
	}{
		{&t.out, d.GenerationTokens}, {&t.in, d.PromptTokens}, {&t.requests, d.Requests}, {&t.preemptions, d.Preemptions},
	} {
		if v.one.Known {
			*v.all = engine.Value{N: v.all.N + v.one.N, Known: true}
		}
	}
}
