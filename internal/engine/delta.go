package engine

import (
	"fmt"
	"time"
)

// A Delta is what the server counted between two snapshots. If Reset, the
// two are not of the same life of the same server; if Several, they are of
// servers that live beside each other. No number is known then.
type Delta struct {
	Elapsed time.Duration
	Counters
	Reset   bool
	Several bool
	Why     string // why Reset or Several, in words
}

// Since returns what was counted since before. What is unknown in either is unknown.
func (s *Snapshot) Since(before *Snapshot) Delta {
	d := Delta{Elapsed: s.At.Sub(before.At)}
	switch {
	case differ(s.Started, before.Started), differ(s.Created, before.Created):
		d.Why = "the server was started anew"
	case differ(float64(s.Engines), float64(before.Engines)):
		d.Why = fmt.Sprintf("%d engines reported before and %d after", before.Engines, s.Engines)
	default:
		var backwards string
		d.Counters, backwards = s.Counters.minus(before.Counters)
		if backwards != "" {
			d.Why = "the server's counter of " + backwards + " went backwards"
		}
	}
	if d.Reset = d.Why != ""; d.Reset {
		d.Counters = Counters{}
	}
	return d
}

func differ(a, b float64) bool { return a != 0 && b != 0 && a != b }

// minus returns c - b, and the name of a counter that went backwards, if any.
func (c Counters) minus(b Counters) (Counters, string) {
	backwards := ""
	value := func(name string, to, from Value) Value {
		if !to.Known || !from.Known {
			return Value{}
		}
		if to.N < from.N {
			backwards = name
		}
		return Value{to.N - from.N, true}
	}
	hist := func(name string, to, from Hist) Hist {
		if !to.Known || !from.Known {
			return Hist{}
		}
		if to.Count < from.Count {
			backwards = name
		}
		if to.Sum < from.Sum { // some of vLLM's durations are of the wall clock, which may be set back
			return Hist{}
		}
		return Hist{to.Sum - from.Sum, to.Count - from.Count, true}
	}
	d := Counters{
		Requests:         value("requests", c.Requests, b.Requests),
		PromptTokens:     value("prompt tokens", c.PromptTokens, b.PromptTokens),
		GenerationTokens: value("generation tokens", c.GenerationTokens, b.GenerationTokens),
		PrefixQueries:    value("prefix cache queries", c.PrefixQueries, b.PrefixQueries),
		PrefixHits:       value("prefix cache hits", c.PrefixHits, b.PrefixHits),
		ExternalHits:     value("external prefix cache hits", c.ExternalHits, b.ExternalHits),
		Preemptions:      value("preemptions", c.Preemptions, b.Preemptions),
		TTFT:             hist("TTFT", c.TTFT, b.TTFT),
		ITL:              hist("ITL", c.ITL, b.ITL),
		E2E:              hist("E2E", c.E2E, b.E2E),
		Queue:            hist("queue time", c.Queue, b.Queue),
		Prefill:          hist("prefill time", c.Prefill, b.Prefill),
		Decode:           hist("decode time", c.Decode, b.Decode),
	}
	if d.Requests.Known {
		d.Finished = map[string]float64{}
		for reason, n := range c.Finished {
			d.Finished[reason] = n - b.Finished[reason] // a reason seen for the first time began at 0
		}
	}
	return d, backwards
}
