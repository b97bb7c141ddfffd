package monitor

import (
	"slices"
	"time"

	"vllmbench/gpuprobe"
	"vllmbench/internal/engine"
)

const keptRows = 600 // of history: ten minutes at 1 Hz, more than the widest terminal shows

// A Tick is what one round of reads brought.
type Tick struct {
	At     time.Time
	Server *engine.Snapshot // nil: none in this round
	Err    error            // why there is none; nil if the server has not answered yet
	GPU    *gpuprobe.Usage  // nil: none in this round
	GPUs   gpuprobe.State   // how the GPUs' source stands
}

// A Subject is what is watched.
type Subject struct {
	URL       string            // "": no server
	Kind      engine.Kind       // of the server
	GPUs      []gpuprobe.Device // none: no GPU
	Source    string            // where the GPUs' figures come from
	NoGPU     string            // why there is no GPU, if one was looked for
	Interval  time.Duration     // between rounds
	Simulated bool              // the server or a GPU is simulated
	Insecure  bool              // no certificate was verified
}

// A State is all that the monitor knows. It does nothing of its own: what it
// holds follows from the Ticks, so that a screen can be made from it anywhere.
type State struct {
	Subject
	started, now time.Time

	rows    []row // newest last
	stats   [quantities]stat
	offered [quantities]bool
	events  []event
	news    []event // of the newest round, gaps when they end
	totals  totals

	server serverState
	gpu    gpuState
}

// A row is one round.
type row struct {
	at      time.Time
	elapsed time.Duration // that the server's rates are of
	cells   [quantities]cell
	idle    bool // the GPU did nothing at the end of the round
}

// Totals count since the start. Tokens and requests are the server's, whoever sent them.
type totals struct {
	out, in, requests, preemptions engine.Value
	energy                         gpuprobe.Value // J
	seconds                        float64        // in which the server's counters were followed
}

// NewState returns the state of a monitor that started at an instant.
func NewState(s Subject, at time.Time) *State {
	return &State{Subject: s, started: at, now: at}
}

// Add takes in one round. Rounds come in the order of time.
func (s *State) Add(t Tick) {
	s.now, s.news = t.At, nil
	r := row{at: t.At}
	s.addServer(&r, t)
	s.addGPU(&r, t)
	for q, c := range r.cells {
		s.offered[q] = s.offered[q] || c.offered
		s.stats[q].add(c)
	}
	if len(s.rows) == keptRows {
		copy(s.rows, s.rows[1:])
		s.rows = s.rows[:keptRows-1]
	}
	s.rows = append(s.rows, r)
}

// newest returns the last round, or an empty one before the first.
func (s *State) newest() row {
	if len(s.rows) == 0 {
		return row{}
	}
	return s.rows[len(s.rows)-1]
}

// history returns the last n cells of q, oldest first, and their stat.
func (s *State) history(q quantity, n int) ([]cell, stat) {
	rows := s.rows[max(0, len(s.rows)-n):]
	cells := make([]cell, len(rows))
	var all stat
	for i, r := range rows {
		cells[i] = r.cells[q]
		all.add(r.cells[q])
	}
	return cells, all
}

// span is the time that the last n rounds cover.
func (s *State) span(n int) time.Duration {
	if n = min(n, len(s.rows)); n < 2 {
		return 0
	}
	return s.newest().at.Sub(s.rows[len(s.rows)-n].at)
}

// shownFirst returns the quantity of the first that is offered.
func (s *State) shownFirst(qs ...quantity) (quantity, bool) {
	for _, q := range qs {
		if s.offered[q] {
			return q, true
		}
	}
	return 0, false
}

// clone returns a copy that later rounds leave as it is.
func (s *State) clone() *State {
	c := *s
	c.rows, c.events = slices.Clone(s.rows), slices.Clone(s.events)
	if s.gpu.gap != nil {
		g := *s.gpu.gap
		c.gpu.gap = &g
	}
	return &c
}
