package vllmsim

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// families makes metrics of vLLM's name space, with the labels that all carry.
type families struct {
	registry *prometheus.Registry
	labels   prometheus.Labels
}

const namespace = "vllm:"

func (f families) gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: namespace + name, Help: help, ConstLabels: f.labels}, labels)
	f.registry.MustRegister(v)
	return v
}

func (f families) counters(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: namespace + name, Help: help, ConstLabels: f.labels}, labels)
	f.registry.MustRegister(v)
	return v
}

func (f families) gauge(name, help string) prometheus.Gauge {
	return f.gauges(name, help).WithLabelValues()
}

func (f families) counter(name, help string) prometheus.Counter {
	return f.counters(name, help).WithLabelValues()
}

func (f families) histogram(name, help string, bounds []float64) prometheus.Observer {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: namespace + name, Help: help, ConstLabels: f.labels, Buckets: bounds,
	})
	f.registry.MustRegister(h)
	return h
}

func (m *metrics) addGauges(f families) {
	m.running = f.gauge("num_requests_running", "Requests in the running batch.")
	m.waiting = f.gauge("num_requests_waiting", "Requests in the queue.")
	reasons := f.gauges("num_requests_waiting_by_reason", "Requests in the queue, by what they wait for.", "reason")
	m.waitingCapacity = reasons.WithLabelValues("capacity")
	reasons.WithLabelValues("deferred")
	m.kvUsage = f.gauge("kv_cache_usage_perc", "Share of KV blocks in use, 0 to 1.")
	sleep := f.gauges("engine_sleep_state", "1 for the state of the engine, which never sleeps here.", "sleep_state")
	for _, state := range []string{"weights_offloaded", "discard_all"} {
		sleep.WithLabelValues(state)
	}
	sleep.WithLabelValues("awake").Set(1)
}

func (m *metrics) addCounters(f families) {
	m.preemptions = f.counter("num_preemptions_total", "Times that a running request lost its KV blocks.")
	m.promptTokens = f.counter("prompt_tokens_total", "Prompt tokens of requests that got their first token.")
	m.generationTokens = f.counter("generation_tokens_total", "Generated tokens.")
	m.cacheQueries = f.counter("prefix_cache_queries_total", "Tokens looked up in the prefix cache.")
	m.cacheHits = f.counter("prefix_cache_hits_total", "Tokens found in the prefix cache.")
	f.counter("external_prefix_cache_queries_total", "Tokens looked up in other instances' caches.")
	f.counter("external_prefix_cache_hits_total", "Tokens found in other instances' caches.")
	m.cachedPrompt = f.counter("prompt_tokens_cached_total", "Prompt tokens found in any cache.")
	sources := f.counters("prompt_tokens_by_source_total", "Prompt tokens, by where their keys and values came from.", "source")
	m.computedPrompt = sources.WithLabelValues("local_compute")
	m.hitPrompt = sources.WithLabelValues("local_cache_hit")
	sources.WithLabelValues("external_kv_transfer")
	tiers := f.counters("prompt_tokens_cached_by_source_total", "Tokens found in a cache at admission, by the memory that held them.", "source")
	m.deviceHits = tiers.WithLabelValues("device")
	for _, tier := range []string{"host", "p2p", "disk", "external_unspecified"} {
		tiers.WithLabelValues(tier)
	}
	m.success = f.counters("request_success_total", "Requests that ended, by reason.", "finished_reason")
	for _, reason := range []string{"stop", "length", "abort", "error", "repetition"} {
		m.success.WithLabelValues(reason)
	}
}

// addWork adds what vLLM counts with --enable-mfu-metrics only, and shows always.
func (m *metrics) addWork(f families) {
	m.flops = f.counter("estimated_flops_per_gpu_total", "Operations by the roofline's formulas, if --enable-mfu-metrics.")
	m.readBytes = f.counter("estimated_read_bytes_per_gpu_total", "Bytes read by the roofline's formulas, if --enable-mfu-metrics.")
	m.writeBytes = f.counter("estimated_write_bytes_per_gpu_total", "Bytes written by the roofline's formulas, if --enable-mfu-metrics.")

	all := families{f.registry, prometheus.Labels{"model_name": f.labels["model_name"]}} // of no engine
	rejections := all.counters("admission_rejections_total", "Requests turned away, for which there is no limit here.", "reason")
	for _, reason := range []string{"max_num_queued_reqs", "max_num_queued_tokens"} {
		rejections.WithLabelValues(reason)
	}
}

// addOwn adds what vLLM has not: how far this server can be trusted.
func (m *metrics) addOwn(r *prometheus.Registry) {
	lateness := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "vllmsim:flush_lateness_seconds", Help: "From a token's planned instant to the end of the write that sent it, seconds.",
		Buckets: []float64{.0001, .0002, .0003, .0005, .0007, .001, .0015, .002, .003, .005, .01, .02, .05, .1},
	})
	r.MustRegister(lateness)
	m.flushLateness = lateness
}

// The bounds here and below are those of vLLM 0.32.0's page.
func (m *metrics) addTimes(f families) {
	token := []float64{.01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80}
	first := []float64{.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560}
	phase := []float64{.3, .5, .8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680}

	m.ttft = f.histogram("time_to_first_token_seconds", "From arrival to first token, seconds.", first)
	m.itl = f.histogram("inter_token_latency_seconds", "From token to token, seconds.", token)
	m.tpot = f.histogram("request_time_per_output_token_seconds", "A request's mean from token to token, seconds.", token)
	m.e2e = f.histogram("e2e_request_latency_seconds", "From arrival to last token, seconds.", phase)
	m.queue = f.histogram("request_queue_time_seconds", "From arrival to first step, seconds.", phase)
	m.prefill = f.histogram("request_prefill_time_seconds", "From first step to first token, seconds.", phase)
	m.decode = f.histogram("request_decode_time_seconds", "From first to last token, seconds.", phase)
	m.inference = f.histogram("request_inference_time_seconds", "From first step to last token, seconds.", phase)
}

func (m *metrics) addSizes(f families, lengths []float64) {
	step := []float64{1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384}

	m.promptLen = f.histogram("request_prompt_tokens", "Prompt tokens of a request.", lengths)
	m.generationLen = f.histogram("request_generation_tokens", "Generated tokens of a request.", lengths)
	m.maxGenerationLen = f.histogram("request_max_num_generation_tokens", "Generated tokens of a request's longest choice.", lengths)
	m.paramN = f.histogram("request_params_n", "Choices asked for.", []float64{1, 2, 5, 10, 20})
	m.paramMaxTokens = f.histogram("request_params_max_tokens", "Tokens asked for.", lengths)
	m.numPreemptions = f.histogram("request_num_preemptions", "Times that a request lost its KV blocks.", []float64{1, 2, 3, 4, 5, 10, 20})
	m.prefillComputed = f.histogram("request_prefill_kv_computed_tokens", "Prompt tokens of a request that no cache had.", lengths)
	m.iterationTokens = f.histogram("iteration_tokens_total", "Tokens generated in a step that generated some, and tokens computed of the prompts that it completed.", step)
}

// lengthBounds is the 1-2-5 series up to the longest request.
func lengthBounds(limit int) []float64 {
	var bounds []float64
	for decade := 1; ; decade *= 10 {
		for _, m := range [3]int{1, 2, 5} {
			if m*decade > limit {
				return bounds
			}
			bounds = append(bounds, float64(m*decade))
		}
	}
}

// addCacheConfig adds the gauge whose labels tell the KV cache's shape, in
// Python's spelling of values.
func addCacheConfig(r *prometheus.Registry, s settings) {
	tokens := s.Limits.NumBlocks * s.Limits.BlockSize
	override := "None"
	if s.NumGPUBlocksOverride > 0 {
		override = strconv.Itoa(s.NumGPUBlocksOverride)
	}
	caching := "True"
	if s.NoPrefixCaching {
		caching = "False"
	}
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: namespace + "cache_config_info", Help: "The KV cache's shape.",
		ConstLabels: prometheus.Labels{
			"engine":                    "0",
			"block_size":                strconv.Itoa(s.Limits.BlockSize),
			"cache_dtype":               s.KVCacheDType,
			"enable_prefix_caching":     caching,
			"gpu_memory_utilization":    strconv.FormatFloat(s.GPUMemoryUtilization, 'g', -1, 64),
			"kv_cache_max_concurrency":  strconv.FormatFloat(float64(tokens)/float64(s.MaxModelLen), 'g', -1, 64),
			"kv_cache_size_tokens":      strconv.Itoa(tokens),
			"num_gpu_blocks":            strconv.Itoa(s.Limits.NumBlocks),
			"num_gpu_blocks_override":   override,
			"prefix_caching_hash_algo":  "sha256",
			"sliding_window":            "None",
			"user_specified_block_size": "False",
		},
	})
	g.Set(1)
	r.MustRegister(g)
}
