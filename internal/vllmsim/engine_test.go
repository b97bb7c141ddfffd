package vllmsim

import (
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// oneByOne is a server that schedules a step when the one before has ended, so
// that its times are easily told.
func oneByOne() Config { return Config{NoAsyncScheduling: true} }

// startEngine runs an engine on the fake clock, woken up late by that much.
func startEngine(t *testing.T, c Config, late time.Duration) *engine {
	t.Helper()
	s, err := c.resolve()
	require.NoError(t, err)
	e := newEngine(s, newMetrics(s), func(at time.Time) { RuntimeSleep(at.Add(late)) })
	go e.run()
	t.Cleanup(e.close)
	return e
}

// submit queues a request of n prompt tokens, and returns it.
func submit(e *engine, id uint64, n, output int) *job {
	j := newJob(NewRequest(id, ids(int(id), n), output, ""))
	e.submit(j)
	return j
}

// arrivals waits for j's tokens, and returns when each came, after start.
func arrivals(j *job, start time.Time) []time.Duration {
	var out []time.Duration
	for len(out) < j.MaxTokens {
		<-j.wake
		for len(out) < int(j.produced.Load()) {
			out = append(out, time.Since(start))
		}
	}
	return out
}

// steps is what the step timer says of a request alone on an A100.
func steps(t *testing.T, prompt, output int) []time.Duration {
	t.Helper()
	s, err := Config{}.resolve()
	require.NoError(t, err)
	timer := newStepTimer(s)
	durations := []time.Duration{timer.step(Batch{Work: []Work{{Tokens: prompt, Sample: true}}}).duration()}
	for i := range output - 1 {
		durations = append(durations, timer.step(Batch{Work: []Work{{Context: prompt + i, Tokens: 1, Sample: true}}}).duration())
	}
	return durations
}

func TestTokensLeaveOnPlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := startEngine(t, oneByOne(), 0)
		time.Sleep(time.Second) // idle: the clock starts with the request
		start := time.Now()
		var want []time.Duration
		var end time.Duration
		for _, d := range steps(t, 100, 50) {
			end += d
			want = append(want, end)
		}
		assert.Equal(t, want, arrivals(submit(e, 1, 100, 50), start))
	})
}

// A decode step of this model and GPU takes 6.94 ms at the roofline, 8.83 ms at
// the share of the bandwidth that engines reach, and 0.54 ms around it.
func TestStepTime(t *testing.T) {
	d := steps(t, 1, 2)
	assert.InDelta(t, 9.37, float64(d[1])/1e6, 0.01)
}

func TestLateWakeUpsDoNotAddUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const late = 700 * time.Microsecond
		e := startEngine(t, oneByOne(), late)
		start := time.Now()
		var end time.Duration
		got := arrivals(submit(e, 1, 100, 200), start)
		for i, d := range steps(t, 100, 200) {
			end += d
			require.Equal(t, end+late, got[i], "token %d", i)
		}
	})
}

func TestClockGivesUpAfterLongStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := startEngine(t, oneByOne(), 0)
		stopped := false
		e.sleepUntil = func(at time.Time) {
			if RuntimeSleep(at); !stopped {
				stopped = true
				time.Sleep(time.Minute)
			}
		}
		start := time.Now()
		got := arrivals(submit(e, 1, 100, 4), start)
		d := steps(t, 100, 4)
		assert.Equal(t, time.Minute+d[0], got[0])
		assert.Equal(t, d[1], got[1]-got[0], "no burst of the steps that were missed")
	})
}

func TestNewcomerWaitsForTheStepInProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := startEngine(t, oneByOne(), 0)
		start := time.Now()
		first := submit(e, 1, 10, 3)
		d := steps(t, 10, 3)
		time.Sleep(d[0] / 2)
		second := submit(e, 2, 10, 1)
		at := arrivals(second, start)[0]
		assert.Greater(t, at, d[0]+d[1], "the second step holds a prompt too, so it is a little longer than a decode alone")
		assert.Less(t, at, d[0]+d[1]+time.Millisecond)
		assert.Equal(t, d[0]-d[0]/2, second.scheduled.Sub(second.arrived))
		assert.Equal(t, second.queued, second.scheduled, "it does not queue while the engine has not looked at it")
		arrivals(first, start)
	})
}

// gather reads an engine's metrics.
func gather(t *testing.T, e *engine) map[string]*dto.MetricFamily {
	t.Helper()
	all, err := e.metrics.registry.Gather()
	require.NoError(t, err)
	families := make(map[string]*dto.MetricFamily)
	for _, f := range all {
		families[f.GetName()] = f
	}
	return families
}

func TestMetricsOfARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := startEngine(t, oneByOne(), 0)
		submit(e, 1, 100, 10)
		time.Sleep(time.Second)
		m := gather(t, e)

		var total time.Duration
		d := steps(t, 100, 10)
		for _, s := range d {
			total += s
		}
		decode := (total - d[0]).Seconds()
		for name, want := range map[string]float64{
			"time_to_first_token_seconds": d[0].Seconds(), "inter_token_latency_seconds": decode, "request_decode_time_seconds": decode,
			"request_time_per_output_token_seconds": decode / 9, "e2e_request_latency_seconds": total.Seconds(),
			"request_inference_time_seconds": total.Seconds(), "request_prefill_time_seconds": d[0].Seconds(), "request_queue_time_seconds": 0,
			"request_prompt_tokens": 100, "request_generation_tokens": 10, "request_params_max_tokens": 10, "iteration_tokens_total": 110,
			"prompt_tokens_total": 100, "generation_tokens_total": 10, "prefix_cache_queries_total": 100, "prefix_cache_hits_total": 0,
			"num_requests_running": 0, "num_requests_waiting": 0, "kv_cache_usage_perc": 0,
		} {
			assert.InDelta(t, want, value(t, m, name), 1e-9, name)
		}
		assert.Equal(t, 9, count(m, "inter_token_latency_seconds"))
		assert.Equal(t, 10, count(m, "iteration_tokens_total"), "steps")
		assert.Equal(t, 1.0, value(t, m, "request_success_total", "finished_reason=length"))

		submit(e, 2, 100, 1)
		same := newJob(NewRequest(3, ids(1, 100), 1, ""))
		e.submit(same)
		time.Sleep(time.Second)
		m = gather(t, e)
		assert.Equal(t, 300.0, value(t, m, "prefix_cache_queries_total"))
		assert.Equal(t, 96.0, value(t, m, "prefix_cache_hits_total"))
		assert.Equal(t, 204.0, value(t, m, "prompt_tokens_by_source_total", "source=local_compute"))
	})
}

func TestMetricsUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := startEngine(t, Config{MaxNumSeqs: 2, MaxModelLen: 160, NumGPUBlocksOverride: 11, NoAsyncScheduling: true}, 0)
		long, other, third := submit(e, 1, 60, 100), submit(e, 2, 60, 40), submit(e, 3, 20, 5)
		time.Sleep(25 * time.Millisecond) // in the third step: the first may have begun without the others
		m := gather(t, e)
		assert.Equal(t, 2.0, value(t, m, "num_requests_running"))
		assert.Equal(t, 1.0, value(t, m, "num_requests_waiting"))
		assert.Equal(t, 0.8, value(t, m, "kv_cache_usage_perc"))

		time.Sleep(time.Minute)
		assert.EqualValues(t, 100, long.produced.Load())
		assert.EqualValues(t, 40, other.produced.Load())
		assert.EqualValues(t, 5, third.produced.Load())
		m = gather(t, e)
		assert.Positive(t, value(t, m, "num_preemptions_total"))
		assert.Equal(t, value(t, m, "num_preemptions_total"), value(t, m, "request_num_preemptions"))
		assert.Equal(t, 140.0, value(t, m, "prompt_tokens_total"), "once a request, whatever was computed again")
		assert.Equal(t, 145.0, value(t, m, "generation_tokens_total"))
	})
}

func TestEngineAbort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := startEngine(t, oneByOne(), 0)
		j := submit(e, 1, 100, 1000)
		time.Sleep(200 * time.Millisecond)
		e.abort(j)
		e.abort(j)
		time.Sleep(time.Second)
		m := gather(t, e)
		assert.Zero(t, value(t, m, "request_success_total", "finished_reason=abort"), "as in vLLM, a client that leaves is not counted")
		assert.Equal(t, float64(j.produced.Load()), value(t, m, "generation_tokens_total"))
		assert.Zero(t, value(t, m, "kv_cache_usage_perc"))
		assert.Zero(t, count(m, "e2e_request_latency_seconds"))
		assert.Empty(t, e.jobs)
	})
}
