package measure

import "time"

// A Cell is one point of an experiment.
type Cell struct {
	Experiment   string `json:"experiment"`    // "latency", "throughput" or "seqlen"
	Name         string `json:"name"`          // the benchmark's name without "Benchmark" and "-N": "SeqLen/prompt=10/output=50"
	Batch        int    `json:"batch"`         // requests in flight
	PromptTokens int    `json:"prompt_tokens"` // asked, tokens a request
	OutputTokens int    `json:"output_tokens"` // asked, tokens a request
}

// A Value is one metric of a row.
type Value struct {
	Metric string  `json:"metric"` // a name of Metrics, e.g. "p50-ttft-ns"
	Value  float64 `json:"value"`  // in the metric's unit
}

// A LeftOut is a metric that was not proven, and why.
type LeftOut struct {
	Metric string `json:"metric"`
	Reason string `json:"reason"`
}

// A Window is a span of the client's clock.
type Window struct {
	From time.Duration `json:"from_ns"` // since the client's epoch
	To   time.Duration `json:"to_ns"`
}

// A Row is what one run of one cell showed.
type Row struct {
	Cell
	Ops      int       `json:"ops"`      // benchmark operations, each of Batch requests
	Window   Window    `json:"window"`   // the timed window
	Requests int       `json:"requests"` // completed inside the window
	Values   []Value   `json:"values"`   // in the order of Metrics
	LeftOut  []LeftOut `json:"left_out,omitempty"`
	Void     []string  `json:"void,omitempty"` // why the row proves nothing; empty if valid
	Ledger   []Account `json:"ledger,omitempty"`
}

// An Account is one line of the ledger: what we counted against what the
// server counted between two moments at which nothing of ours was in flight.
type Account struct {
	Name   string  `json:"name"` // "requests", "prompt tokens", ...
	Ours   float64 `json:"ours"`
	Server float64 `json:"server"`
	Known  bool    `json:"known"` // false if the server does not offer it
}
