package merge

import (
	"cmp"
	"math"
	"slices"

	"vllmbench/client"
	"vllmbench/internal/engine"
	"vllmbench/internal/measure"
)

// Books are what the server counted from before the first instance began to
// after the last one ended. They are balanced once, for all rows together, since each
// instance's readings count the requests of all.
type books struct {
	delta    engine.Delta
	gauges   []measure.Gauge
	only     bool     // there is one row, whose books they are
	void     []string // why no row can be believed, where there are several
	accounts []measure.Account
	shared   string // why the server's own metrics are of no single row; "": they are, or it tells none
}

// open reads the books.
func (m *merger) open() *books {
	b := &books{only: len(m.cells) == 1}
	reads := m.readings()
	if len(reads) < 2 {
		return b
	}
	b.delta = reads.Delta()
	if !b.delta.Reset && !b.delta.Several {
		m.subtractAsked(&b.delta)
	}
	if len(m.lost) > 0 {
		if said := m.had(b.delta); said != "" {
			m.notes = append(m.notes, said)
		}
		if !b.delta.Reset {
			b.delta = engine.Delta{Several: true, Why: "the server counted the requests of instances too that are not here"}
		}
		return b
	}
	if !b.delta.Reset && !b.delta.Several {
		for _, g := range []struct {
			name string
			*engine.Snapshot
		}{{"before", reads[0]}, {"after", reads[len(reads)-1]}} {
			at := g.At.Sub(m.epoch)
			b.gauges = append(b.gauges, measure.Gauge{Name: g.name, From: at, To: at, Requests: g.InFlight(), Idle: true})
		}
	}
	sum := m.sum(b)
	b.accounts = sum.Ledger
	if !b.only {
		b.void = sum.Void
		b.shared = "the server's counters are of all the run's cells together: have one cell in a run"
	}
	return b
}

// readings are what the instances read, in the order in which the server counted it.
// Of one life of the server its counters tell that order better than several clocks.
func (m *merger) readings() (reads engine.Series) {
	lives := map[[2]float64]bool{}
	for _, i := range m.all {
		if i.Header.Instance == nil {
			continue
		}
		if r := i.Header.Instance.Before; r != nil {
			reads = append(reads, r.Snapshot())
		}
		if r := i.Header.Instance.After; r != nil {
			reads = append(reads, r.Snapshot())
		}
	}
	for _, r := range reads {
		lives[[2]float64{r.Started, r.Created}] = true
	}
	marked := len(lives) == 1 && !lives[[2]float64{}]
	slices.SortStableFunc(reads, func(a, b *engine.Snapshot) int {
		if marked {
			return cmp.Or(cmp.Compare(counted(a), counted(b)), a.At.Compare(b.At))
		}
		return a.At.Compare(b.At)
	})
	return reads
}

// counted grows whenever the server counts something.
func counted(s *engine.Snapshot) float64 {
	return s.Requests.N + s.PromptTokens.N + s.GenerationTokens.N
}

// sum measures all cells as one, for the ledger and nothing else.
func (m *merger) sum(b *books) measure.Row {
	run := &measure.Run{Window: measure.Window{From: -1, To: math.MaxInt64 / 2}, Server: b.delta, Gauges: b.gauges, RequireLedger: m.all[0].Header.Flags["require-ledger"] == "true"}
	_ = run.Limits.Set("errors=1e9") // failures are each row's own affair
	for _, c := range m.cells {
		for _, p := range c.parts {
			run.Streams = append(run.Streams, p.streams()...)
		}
	}
	return run.Row()
}

// enter gives a row its books, or leaves it to those of all rows to void it.
func (b *books) enter(run *measure.Run) {
	if b.only || b.delta.Several {
		run.Server, run.Gauges = b.delta, b.gauges
	} else {
		run.RequireLedger = false
	}
}

// subtractAsked takes the requests that are in no row out of what was counted: each
// instance sent its own behind its first reading, so all of them are behind the first of all.
func (m *merger) subtractAsked(d *engine.Delta) {
	ours := map[string]float64{}
	for _, c := range m.cells {
		for _, r := range c.all() {
			if r.Outcome == client.OK {
				ours[r.FinishReason]++
			}
		}
	}
	for _, i := range m.all {
		if i.Header.Instance == nil {
			continue
		}
		for _, a := range i.Header.Instance.Asked {
			for _, v := range []struct {
				*engine.Value
				n int
			}{{&d.Requests, 1}, {&d.PromptTokens, a.PromptTokens}, {&d.PrefixQueries, a.PromptTokens}, {&d.GenerationTokens, a.OutputTokens}} {
				if v.Known {
					v.N -= float64(v.n)
				}
			}
			if d.Finished[stopped] > ours[stopped] { // the one token was the model's end
				d.Finished[stopped]--
			} else if d.Finished != nil {
				d.Finished[cutOff]--
			}
		}
	}
}

// Finish reasons by which the server counts a request that is in no row.
const cutOff, stopped = "length", "stop"
