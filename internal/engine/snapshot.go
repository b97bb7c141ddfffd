package engine

import (
	"context"
	"fmt"
	"math"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// A Value is a number that the server may not offer.
type Value struct {
	N     float64
	Known bool
}

// A Hist is a histogram of durations. vLLM's buckets are too coarse for
// quantiles (0.1, 0.25, 0.5 s), so only the sum and the count are kept.
type Hist struct {
	Sum   float64 // seconds
	Count float64
	Known bool
}

// Mean returns the mean duration, and false if nothing was counted.
func (h Hist) Mean() (seconds float64, ok bool) {
	if !h.Known || h.Count <= 0 {
		return 0, false
	}
	return h.Sum / h.Count, true
}

// Counters is what vLLM counts, summed over its engines. Names and meaning
// are those of vLLM's metrics; the old names of up to 0.9 are read too. Of
// llama.cpp's server it is the tokens and the prefix hits.
//
// A request whose client hangs up is in TTFT and in the tokens if it got so
// far, but vLLM 0.32 never counts its end: neither in Finished nor in E2E.
type Counters struct {
	Finished map[string]float64 // requests by finished_reason ("length", "stop", "abort", ...); nil: unknown
	Requests Value              // the sum of Finished

	PromptTokens     Value // tokens, cached ones included
	GenerationTokens Value // tokens
	PrefixQueries    Value // prompt tokens looked up in the prefix cache
	PrefixHits       Value // prompt tokens found there
	ExternalHits     Value // prompt tokens found in another instance's or tier's cache
	Preemptions      Value

	TTFT    Hist // a request's arrival at the API to its first token
	ITL     Hist // token to token
	E2E     Hist // a request's arrival at the API to its end
	Queue   Hist // waiting to be scheduled
	Prefill Hist // scheduled to first token
	Decode  Hist // first token to last
}

// A Snapshot is one read of the server's metrics.
type Snapshot struct {
	At time.Time // when it was asked for
	Counters

	Running Value // requests in the batch
	Waiting Value // requests in the queue
	KVUse   Value // share of KV cache blocks in use, 0 to 1, mean over the engines

	Engines int     // engines that report; 0: unknown
	Started float64 // process_start_time_seconds, since 1970; 0: unknown
	Created float64 // creation times of the token counter, summed over engines: a mark of this server's life; 0: unknown
}

// InFlight is the number of requests that the engines hold, by the gauges of
// their last step: in the batch and in the queue.
func (s *Snapshot) InFlight() Value {
	if !s.Running.Known || !s.Waiting.Known {
		return Value{}
	}
	return Value{s.Running.N + s.Waiting.N, true}
}

// Snapshot reads the server's metrics for model, or for all that it serves if
// model is "". A family that is missing is unknown. It fails if there is no page of metrics.
func (c *Client) Snapshot(ctx context.Context, model string) (*Snapshot, error) {
	at := time.Now()
	a, err := c.get(ctx, "/metrics")
	if err != nil {
		return nil, err
	}
	p, err := c.page(a)
	if err != nil {
		return nil, fmt.Errorf("%s gives no metrics (GET /metrics: %w): give the URL of the server itself, not of a router before it", a.base, err)
	}
	s := p.snapshot(model)
	s.At = at
	return s, nil
}

func (p page) snapshot(model string) *Snapshot {
	v := p.only(model)
	running := v.first("vllm:num_requests_running", "llamacpp:requests_processing")
	s := &Snapshot{
		Counters: v.counters(),
		Running:  sum(running),
		Waiting:  sum(v.first("vllm:num_requests_waiting", "llamacpp:requests_deferred")),
		KVUse:    mean(v.first("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc")),
		Engines:  len(running),
		Started:  sum(p.first("process_start_time_seconds")).N,
		Created:  sum(v.first("vllm:generation_tokens_created")).N,
	}
	return s
}

func (p page) counters() Counters {
	if p.speaks(llamaFamilies) {
		return p.llama()
	}
	finished := p.first("vllm:request_success_total")
	return Counters{
		Finished:         by(finished, "finished_reason"),
		Requests:         sum(finished),
		PromptTokens:     sum(p.first("vllm:prompt_tokens_total")),
		GenerationTokens: sum(p.first("vllm:generation_tokens_total")),
		PrefixQueries:    sum(p.first("vllm:prefix_cache_queries_total", "vllm:gpu_prefix_cache_queries_total")),
		PrefixHits:       sum(p.first("vllm:prefix_cache_hits_total", "vllm:gpu_prefix_cache_hits_total")),
		ExternalHits:     sum(p.first("vllm:external_prefix_cache_hits_total")),
		Preemptions:      sum(p.first("vllm:num_preemptions_total")),
		TTFT:             hist(p.first("vllm:time_to_first_token_seconds")),
		ITL:              hist(p.first("vllm:inter_token_latency_seconds", "vllm:time_per_output_token_seconds")),
		E2E:              hist(p.first("vllm:e2e_request_latency_seconds")),
		Queue:            hist(p.first("vllm:request_queue_time_seconds")),
		Prefill:          hist(p.first("vllm:request_prefill_time_seconds")),
		Decode:           hist(p.first("vllm:request_decode_time_seconds")),
	}
}

// unknown names what a ledger needs and c does not have.
func (c Counters) unknown() (names []string) {
	for _, v := range []struct {
		name string
		Value
	}{{"finished requests", c.Requests}, {"prompt tokens", c.PromptTokens}, {"generated tokens", c.GenerationTokens}, {"prefix cache hits", c.PrefixHits}, {"preemptions", c.Preemptions}} {
		if !v.Known {
			names = append(names, v.name)
		}
	}
	return names
}

// sum adds up the engines. One number that is not finite makes the sum unknown.
func sum(metrics []*dto.Metric) Value {
	n := 0.0
	for _, m := range metrics {
		n += number(m)
	}
	if len(metrics) == 0 || !finite(n) {
		return Value{}
	}
	return Value{n, true}
}

func mean(metrics []*dto.Metric) Value {
	v := sum(metrics)
	v.N /= float64(max(len(metrics), 1))
	return v
}

// by is sum for each value of a label.
func by(metrics []*dto.Metric, name string) map[string]float64 {
	if !sum(metrics).Known {
		return nil
	}
	all := map[string]float64{}
	for _, m := range metrics {
		all[Clean(label(m, name))] += number(m)
	}
	return all
}

func hist(metrics []*dto.Metric) Hist {
	h := Hist{Known: len(metrics) > 0}
	for _, m := range metrics {
		g := m.GetHistogram()
		if g == nil {
			return Hist{}
		}
		h.Sum += g.GetSampleSum()
		// The parser keeps a count that is not whole in another field.
		h.Count += max(float64(g.GetSampleCount()), g.GetSampleCountFloat())
	}
	if !finite(h.Sum) || !finite(h.Count) {
		return Hist{}
	}
	return h
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
