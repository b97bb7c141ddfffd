package vllmsim

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"vllmbench/internal/roofline"
)

// metrics are vLLM's, by the definitions of its v1/metrics/stats.py: TTFT and
// E2E run from the arrival at the API; queue, prefill, decode and inference
// times and ITL lie between the engine's own instants, so that a request does
// not queue while the engine has not looked at it.
// A step's tokens are the generated ones and those computed of the prompts that
// it completed.
//
// Only the engine's goroutine writes them, but for the last.
type metrics struct {
	registry *prometheus.Registry

	running, waiting, waitingCapacity, kvUsage prometheus.Gauge

	preemptions, promptTokens, generationTokens prometheus.Counter
	cacheQueries, cacheHits, cachedPrompt       prometheus.Counter
	computedPrompt, hitPrompt, deviceHits       prometheus.Counter
	flops, readBytes, writeBytes                prometheus.Counter
	success                                     *prometheus.CounterVec

	ttft, itl, tpot, e2e                       prometheus.Observer
	queue, prefill, decode, inference          prometheus.Observer
	promptLen, generationLen, maxGenerationLen prometheus.Observer
	paramN, paramMaxTokens, numPreemptions     prometheus.Observer
	prefillComputed, iterationTokens           prometheus.Observer
	flushLateness                              prometheus.Observer // written by those who send
}

func newMetrics(s settings) *metrics {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewGoCollector())
	f := families{r, prometheus.Labels{"engine": "0", "model_name": s.ServedModelName}}
	m := &metrics{registry: r}
	m.addGauges(f)
	m.addCounters(f)
	m.addWork(f)
	m.addOwn(r)
	m.addTimes(f)
	m.addSizes(f, lengthBounds(s.MaxModelLen))
	addCacheConfig(r, s)
	return m
}

// queues takes over the scheduler's state.
func (m *metrics) queues(s *Scheduler) {
	m.running.Set(float64(s.Running()))
	m.waiting.Set(float64(s.Waiting()))
	m.waitingCapacity.Set(float64(s.Waiting()))
	m.kvUsage.Set(s.KVUsage())
}

// admitted counts what the prefix cache was asked for, at the first admission
// only: a preempted request that finds its own blocks again is no hit.
func (m *metrics) admitted(j *job, prefixCaching bool) {
	if prefixCaching {
		m.cacheQueries.Add(float64(len(j.Prompt)))
		m.cacheHits.Add(float64(j.Cached))
		m.deviceHits.Add(float64(j.Cached))
	}
}

// worked counts a step's work, of whose bytes that many are written.
func (m *metrics) worked(w roofline.Work, written float64) {
	m.flops.Add(w.FLOPs)
	m.readBytes.Add(w.Bytes - written)
	m.writeBytes.Add(written)
}

// token counts a token that j got at the instant now.
func (m *metrics) token(j *job, now time.Time, first bool) {
	m.generationTokens.Inc()
	m.preemptions.Add(float64(j.Preemptions - j.counted)) // vLLM's engine tells of them with the next token
	j.counted = j.Preemptions
	if !first {
		m.itl.Observe(now.Sub(j.last).Seconds())
		return
	}
	m.ttft.Observe(now.Sub(j.arrived).Seconds())
	m.promptTokens.Add(float64(len(j.Prompt)))
	m.cachedPrompt.Add(float64(j.Cached))
	m.hitPrompt.Add(float64(j.Cached))
	m.computedPrompt.Add(float64(len(j.Prompt) - j.Cached))
}

// finished counts a completed request. vLLM counts no other: its label "abort"
// stays at 0 when clients leave.
func (m *metrics) finished(j *job) {
	m.success.WithLabelValues("length").Inc()
	decode := j.last.Sub(j.first)
	m.e2e.Observe(j.last.Sub(j.arrived).Seconds())
	m.queue.Observe(j.scheduled.Sub(j.queued).Seconds())
	m.prefill.Observe(j.first.Sub(j.scheduled).Seconds())
	m.decode.Observe(decode.Seconds())
	m.inference.Observe(j.last.Sub(j.scheduled).Seconds())
	m.tpot.Observe(decode.Seconds() / float64(max(1, j.Generated-1)))

	m.promptLen.Observe(float64(len(j.Prompt)))
	m.generationLen.Observe(float64(j.Generated))
	m.maxGenerationLen.Observe(float64(j.Generated))
	m.paramN.Observe(1)
	m.paramMaxTokens.Observe(float64(j.MaxTokens))
	m.numPreemptions.Observe(float64(j.Preemptions))
	m.prefillComputed.Observe(float64(len(j.Prompt) - j.Cached))
}
