package measure

import "time"

// A Cell is one point of an experiment.
type Cell struct {
	Experiment   string  `json:"experiment"`     // "latency", "throughput", "seqlen", "arrivals", ...
	Name         string  `json:"name"`           // the benchmark's name without "Benchmark" and "-N": "SeqLen/prompt=10/output=50"
	Batch        int     `json:"batch"`          // requests in flight; 0 in an open loop
	Rate         float64 `json:"rate,omitempty"` // arrivals a second that an open loop asks for, on average; 0 in a closed one
	PromptTokens int     `json:"prompt_tokens"`  // asked, tokens a request, on average
	OutputTokens int     `json:"output_tokens"`  // asked, tokens a request, on average
}

// Open says whether the cell is an open loop: requests are sent when they are
// due, however many are in flight.
func (c Cell) Open() bool { return c.Rate > 0 }

// A Value is one metric of a row.
type Value struct {
	Metric string  `json:"metric"` // a name of Metrics, e.g. "p50-ttft-ns"
	Value  float64 `json:"value"`  // in the metric's unit
	N      int     `json:"n"`      // samples behind it; 0 if it is not drawn from samples
}

// A LeftOut is a metric that was not proven, and why.
type LeftOut struct {
	Metric string `json:"metric"`
	Rule   string `json:"rule"`   // the name of the rule: a limit, or a word for what is missing
	Reason string `json:"reason"` // with this row's figures
}

// A Window is a span of the client's clock.
type Window struct {
	From time.Duration `json:"from_ns"` // since the client's epoch
	To   time.Duration `json:"to_ns"`
}

// Length is the window's duration.
func (w Window) Length() time.Duration { return w.To - w.From }

func (w Window) holds(t time.Duration) bool { return w.From < t && t <= w.To }

// A Row is what one run of one cell showed.
type Row struct {
	Cell
	Ops      int       `json:"ops"`           // benchmark operations, each of Batch requests
	Window   Window    `json:"window"`        // the timed window
	Requests int       `json:"requests"`      // completed inside the window
	SLO      string    `json:"slo,omitempty"` // what goodput was measured by
	Values   []Value   `json:"values"`        // in the order of Metrics
	LeftOut  []LeftOut `json:"left_out,omitempty"`
	Void     []string  `json:"void,omitempty"` // why the row proves nothing; empty if valid
	Ledger   []Account `json:"ledger,omitempty"`
	Wire     []Pair    `json:"wire,omitempty"`
	Gaps     []Window  `json:"gpu_gaps,omitempty"` // in which the GPUs did nothing, where gpu-gaps is among the values
}

// A Pair is a mean as seen on the wire beside the server's own, over the same
// requests: all of the ledger's, which are the window's, its ramp's and its tail's.
type Pair struct {
	Name   string  `json:"name"`      // "ttft", "itl" or "e2e"
	Wire   float64 `json:"wire_ns"`   // mean, nanoseconds
	Server float64 `json:"server_ns"` // mean, nanoseconds
}

// Value returns a metric of the row, and false if the row does not have it.
func (r *Row) Value(metric string) (float64, bool) {
	for _, v := range r.Values {
		if v.Metric == metric {
			return v.Value, true
		}
	}
	return 0, false
}
