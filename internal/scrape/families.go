package scrape

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"vllmbench/client"
)

// bounds are of all histograms of times, seconds: from 0.1 ms to 105 s in steps
// of the square root of 2, so that a quantile read from them is within 41 %.
var bounds = prometheus.ExponentialBuckets(1e-4, 1.4142135623730951, 41)

// families are what requests are counted in. Latencies are of requests that
// ended well; of the others their number says all.
type families struct {
	inFlight                prometheus.Gauge
	active                  *prometheus.GaugeVec
	requests                *prometheus.CounterVec
	promptTokens, outTokens *prometheus.CounterVec
	ttft, itl, e2e, lag     *prometheus.HistogramVec
}

func newFamilies() *families {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: namespace + name, Help: help}, append([]string{"cell"}, labels...))
	}
	histogram := func(name, help string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: namespace + name, Help: help, Buckets: bounds}, []string{"cell"})
	}
	return &families{
		inFlight:     prometheus.NewGauge(prometheus.GaugeOpts{Name: namespace + "requests_in_flight", Help: "Requests between their sending and their end."}),
		active:       prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: namespace + "cell_active", Help: "1 while the cell is measured, its warm-up included."}, []string{"cell"}),
		requests:     counter("requests_total", "Requests that ended, those of the warm-up, the ramp and the tail included.", "outcome"),
		promptTokens: counter("prompt_tokens_total", "Prompt tokens of these by the server's usage."),
		outTokens:    counter("output_tokens_total", "Output tokens of these by the server's usage, counted when their request ends."),
		ttft:         histogram("ttft_seconds", "Time to first token of requests that ended well, by the arrival in the client's kernel."),
		itl:          histogram("itl_seconds", "Inter-token latency of these: the gap before each token after the first event."),
		e2e:          histogram("e2e_seconds", "End-to-end latency of these."),
		lag:          histogram("client_lag_seconds", "From an event's arrival in the kernel to the client's reading of it: no part of any latency."),
	}
}

const namespace = "vllmbench_"

func (f *families) collectors() []prometheus.Collector {
	return []prometheus.Collector{f.active, f.inFlight, f.requests, f.promptTokens, f.outTokens, f.ttft, f.itl, f.e2e, f.lag}
}

// Describe implements prometheus.Collector.
func (f *families) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range f.collectors() {
		c.Describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (f *families) Collect(ch chan<- prometheus.Metric) {
	for _, c := range f.collectors() {
		c.Collect(ch)
	}
}

// none says that no cell is measured.
func (f *families) none() { f.active.Reset() }

// A cell is the series of one cell: looked up once, not once a request.
type cell struct {
	name                    string
	requests                *prometheus.CounterVec
	promptTokens, outTokens prometheus.Counter
	ttft, itl, e2e, lag     prometheus.Observer
}

// cell begins a cell.
func (f *families) cell(name string) *cell {
	f.none()
	f.active.WithLabelValues(name).Set(1)
	f.requests.WithLabelValues(name, string(client.OK)) // a counter that begins at 0 has a rate from the first request on
	return &cell{
		name: name, requests: f.requests,
		promptTokens: f.promptTokens.WithLabelValues(name), outTokens: f.outTokens.WithLabelValues(name),
		ttft: f.ttft.WithLabelValues(name), itl: f.itl.WithLabelValues(name), e2e: f.e2e.WithLabelValues(name), lag: f.lag.WithLabelValues(name),
	}
}

func (c *cell) observe(r *client.Result) {
	c.requests.WithLabelValues(c.name, string(r.Outcome)).Inc()
	c.promptTokens.Add(float64(max(0, r.PromptTokens)))
	c.outTokens.Add(float64(max(0, r.OutputTokens)))
	if r.Outcome != client.OK || len(r.Events) == 0 {
		return
	}
	c.ttft.Observe(r.TTFT().Seconds())
	c.e2e.Observe(r.E2E().Seconds())
	for i, e := range r.Events {
		if e.Lag > 0 { // user stamps know of none
			c.lag.Observe(e.Lag.Seconds())
		}
		if i == 0 {
			continue
		}
		gap := (e.At - r.Events[i-1].At).Seconds() / float64(e.Tokens)
		for range e.Tokens {
			c.itl.Observe(gap)
		}
	}
}

// valid is text as a label takes it.
func valid(s string) string { return strings.ToValidUTF8(s, "?") }
