package measure

import (
	"fmt"
	"slices"
	"strings"
)

// A Metric is what a row can show.
type Metric struct {
	Name    string // ends with its unit; durations in ns and sizes in B, which benchstat rescales
	Better  string // "higher", "lower", or "" for what only describes
	Default bool   // shown on the benchmark line without -metrics all
	Doc     string // what it is, from which event to which
}

// OfGPU says whether the metric needs a GPU that is watched.
func (m Metric) OfGPU() bool {
	return ofGPU(m.Name) || ofFloor(m.Name)
}

// Of says whether the row can have the metric at all.
func (m Metric) Of(r *Row) bool {
	switch {
	case OfCapacity(m.Name) || r.Experiment == capacityExperiment:
		return OfCapacity(m.Name) && r.Experiment == capacityExperiment
	case OfArrivals(m.Name):
		return r.Open()
	case m.Name == "turnaround-%":
		return !r.Open()
	case OfSLO(m.Name):
		return r.SLO != ""
	case m.Name == "prefix-expected-%" || ofTurns(m.Name):
		_, told := r.Value(m.Name) // else it says itself why not
		return told
	}
	return true
}

// DefaultQuantiles are the quantiles of each latency, in percent.
var DefaultQuantiles = []int{50, 90, 99}

// latencies are the metrics that have quantiles.
var latencies = []struct{ name, doc string }{
	{"ttft", "time to first token: from the sending of the request's last byte, in an open loop from when it was due, to the arrival of the first token, of requests whose first token arrived in the window, in an open loop of those due in it"},
	{"itl", "inter-token latency: the gap before each token that arrived in the window, shared evenly by the tokens of one event"},
	{"tpot", "time per output token of a request: (last - first arrival) / (tokens - tokens of the first event), of requests that ended in the window, in an open loop of those due in it"},
	{"e2e", "end-to-end latency: from the sending of the request's last byte, in an open loop from when it was due, to the arrival of its last token, of requests that ended in the window, in an open loop of those due in it"},
}

// A Group is metrics that belong together.
type Group struct {
	Title   string
	Clock   string // whose clock or counter they are taken by
	Metrics []Metric
}

// Groups is the one table of all metrics, in the order of display. quantiles are in percent.
func Groups(quantiles []int) []Group {
	return []Group{
		{"Throughput", "the stamps of the tokens' arrivals", throughputMetrics},
		{"Latency", "the stamps of the tokens' arrivals, and the client's clock just before a request's last byte is written; both count from one epoch", latencyMetrics(quantiles)},
		{"Conversations", "the same clocks as latency; only of requests that are turns of a conversation", turnMetrics},
		{"Arrivals", "the schedule, and the client's clock just before a request's last byte is written; in an open loop only", arrivalMetrics},
		{"Goodput", "as latency; only with -slo", goodputMetrics},
		{"Capacity", "the same clocks as latency, in the windows of a search; only of BenchmarkCapacity", capacityMetrics},
		{"GPU", "the GPUs' own counters (NVML, or a DCGM exporter), read twice a second and at both ends of the window, between two reads by interpolation", gpuMetrics},
		{"Roofline", "the stamps of the tokens' arrivals (decode) and the server's histogram (prefill), against what the data sheet of the GPUs allows", floorMetrics},
		{"Server", "the server's own counters and histograms (/metrics): their rise from before the ramp's first request to after the tail's last one", serverMetrics},
		{"Client", "the client's clock and counters, and the stamps of the tokens' arrivals", clientMetrics},
	}
}

// Metrics are those of all groups.
func Metrics(quantiles []int) (all []Metric) {
	for _, g := range Groups(quantiles) {
		all = append(all, g.Metrics...)
	}
	return all
}

// units are those that a metric's name can end with, besides ratios such as tok/s.
var units = []string{"ns", "B", "W", "J", "Hz", "%"}

// Unit is a metric's unit, with which its name ends after the last hyphen, or
// "" for a plain number: "in-flight" has none.
func Unit(metric string) string {
	last := metric[strings.LastIndexByte(metric, '-')+1:]
	if strings.Contains(last, "/") || slices.Contains(units, last) {
		return last
	}
	return ""
}

var throughputMetrics = []Metric{
	{"tok/s", "higher", true, "output tokens that arrived in the window, per second of it"},
	{"total-tok/s", "higher", false, "the same, and the prompt tokens of requests whose first token arrived in the window"},
	{"req/s", "higher", true, "requests whose last token arrived in the window, per second of it"},
}

func latencyMetrics(quantiles []int) (all []Metric) {
	for _, l := range latencies {
		for i, q := range quantiles {
			// The line shows the first quantile of each, and the last of what users feel.
			shown := i == 0 && l.name != "tpot" || i == len(quantiles)-1 && (l.name == "ttft" || l.name == "itl")
			all = append(all, Metric{fmt.Sprintf("p%d-%s-ns", q, l.name), "lower", shown, fmt.Sprintf("%d %% quantile (nearest rank) of the %s", q, l.doc)})
		}
		all = append(all, Metric{"mean-" + l.name + "-ns", "lower", false, "mean of the " + l.doc})
	}
	return all
}

// serverMetrics tell where time went behind the server's door.
var serverMetrics = []Metric{
	{"engine-ttft-ns", "lower", false, "the server's own mean TTFT: from its receipt of the request to its first token, over all requests of the ledger"},
	{"engine-itl-ns", "lower", false, "the server's own mean inter-token latency, over all requests of the ledger"},
	{"engine-queue-ns", "lower", false, "the server's mean time in the waiting queue"},
	{"engine-prefill-ns", "lower", false, "the server's mean time from scheduling to the first token"},
	{"engine-decode-ns", "lower", false, "the server's mean time from the first to the last token"},
	{"egress-ttft-ns", "lower", true, "mean TTFT on the wire less the server's own: its HTTP front end and the network, over all requests of the ledger"},
	{"prefix-hit-%", "", false, "prompt tokens that the server found in its prefix cache"},
	{"prefix-expected-%", "", false, "prompt tokens that it should find there by the design of the prompts, in whole blocks; for a trace, the most that it can"},
	{"preemptions/op", "lower", false, "requests that the server threw out of its batch for want of KV cache"},
}

// clientMetrics tell what was sent, and whether the client was in the way.
var clientMetrics = []Metric{
	{"p50-lag-ns", "lower", false, "median time from a token's arrival in the kernel to the client's reading of it; not part of any latency"},
	{"p99-lag-ns", "lower", false, "99 % quantile of the time from a token's arrival in the kernel to the client's reading of it; not part of any latency"},
	{"merged-%", "lower", false, "events that were read together with the one before, so that they share its stamp"},
	{"turnaround-%", "lower", false, "mean time from the end of a stream to its next request's sending, as a share of the mean E2E"},
	{"cpu-ns/tok", "lower", false, "CPU time of the client per output token"},
	{"in-flight", "", false, "mean number of requests between sending and last token"},
	{"prompt-tok/req", "", false, "prompt tokens a request, by the server's usage"},
	{"out-tok/req", "", false, "output tokens a request, by the server's usage"},
	{"tok/event", "", false, "output tokens per event of the stream"},
	{"errors/op", "lower", false, "failed requests per operation"},
}
