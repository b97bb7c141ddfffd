package measure

import (
	"time"

	"vllmbench/client"
	"vllmbench/internal/engine"
)

// A Gauge is one read of how many requests the server holds.
type Gauge struct {
	Name     string        // of the moment: "before", "tail", "after"
	From, To time.Duration // when it was asked for and when the answer was there, on the client's clock
	Requests engine.Value  // in the batch and in the queue
	Idle     bool          // by the server's counters, all of ours had ended: the engine tells both in one
}

// inFlight holds the gauges against the requests of ours that were in flight
// in the middle of each read.
//
// The two may differ by the requests that began or ended near the read: one
// whose first token has not come may not be in the engine yet, and gauges are
// of the engine's last step, which is no older than the longest gap between
// two tokens. A stream has one of each at most, which bounds it by the batch.
func (r *Run) inFlight() (out []Account) {
	step := longestGap(r.Streams)
	for _, g := range r.Gauges {
		var sure, ours, most float64
		middle := (g.From + g.To) / 2
		for _, rs := range r.Streams {
			for _, q := range rs {
				sure += one(len(q.Events) > 0 && q.Events[0].At+step <= g.From && q.Events[len(q.Events)-1].At >= g.To)
				ours += one(q.Sent <= middle && middle < q.End)
				most += one(q.Sent <= g.To && g.From <= q.End+step)
			}
		}
		if g.Idle {
			sure, ours, most = 0, 0, 0
		}
		out = append(out, Account{Name: inFlight + g.Name, Ours: ours, Server: g.Requests.N, Known: g.Requests.Known, Within: max(most-ours, ours-sure)})
	}
	return out
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func longestGap(streams [][]client.Result) (gap time.Duration) {
	for _, rs := range streams {
		for _, q := range rs {
			for i := 1; i < len(q.Events); i++ {
				gap = max(gap, q.Events[i].At-q.Events[i-1].At)
			}
		}
	}
	return gap
}
