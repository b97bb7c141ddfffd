package vllmsim

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ledger is what a server counts for requests of 40 prompt and 4 generated
// tokens that meet a fault, and then for one that does not.
func ledger(t *testing.T, fault string, requests int) map[string]*dto.MetricFamily {
	t.Helper()
	addr, _ := faulty(t, tiny())
	for i := range requests + 1 {
		body := fmt.Sprintf(`{"prompt":[%s],"cache_salt":"s%d","max_tokens":4,"stream":true}`, numbers(40), i)
		f := fault
		if i == requests {
			f = "none"
		}
		answer, end := readAnswer(raw(t, addr, "/v1/completions", body, f))
		require.Equal(t, "open, complete", end)
		require.Contains(t, string(answer), doneEvent)
	}
	var families map[string]*dto.MetricFamily
	require.Eventually(t, func() bool { // other clients' requests may run on
		families = scrape(t, "http://"+addr)
		return value(t, families, "num_requests_running")+value(t, families, "num_requests_waiting") == 0
	}, 5*time.Second, time.Millisecond)
	return families
}

func TestCountersWithFaults(t *testing.T) {
	for _, tt := range []struct {
		fault                             string
		requests, prompt, generated, hits float64
	}{
		{"none", 4, 160, 16, 0},
		{"foreign=10", 7, 208, 46, 0},
		{"count-output", 4, 160, 19, 0},
		{"count-output=-1,count-prompt=2,count-requests=3", 13, 166, 13, 0},
		{"cached", 4, 160, 16, 64},
		{"tokens=2", 4, 160, 22, 0},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			m := ledger(t, tt.fault, 3)
			assert.Equal(t, tt.requests, value(t, m, "request_success_total", "finished_reason=length"))
			assert.Equal(t, tt.prompt, value(t, m, "prompt_tokens_total"))
			assert.Equal(t, tt.generated, value(t, m, "generation_tokens_total"))
			assert.Equal(t, tt.hits, value(t, m, "prefix_cache_hits_total"))
		})
	}
}

func TestRestartIsAnotherProcess(t *testing.T) {
	started := func(m map[string]*dto.MetricFamily) float64 {
		return m["process_start_time_seconds"].Metric[0].GetGauge().GetValue()
	}
	before := started(ledger(t, "none", 1))
	m := ledger(t, "restart", 3)
	assert.Greater(t, started(m), before)
	assert.Equal(t, 40.0, value(t, m, "prompt_tokens_total"), "of the last request")
	generated := value(t, m, "generation_tokens_total")
	assert.True(t, generated >= 4 && generated < 8, "%v: those of the last request, and what came of the one before after the restart", generated)
}

func TestScrapesWithFaults(t *testing.T) {
	get := func(rule string, n int) (status int, page string) {
		url := start(t, Config{Faults: Faults{Rules: rules(t, rule), After: 1}})
		for range n {
			resp, body := do(t, "GET", url+"/metrics", "")
			status, page = resp.StatusCode, body
		}
		return status, page
	}
	status, page := get("metrics-status=503/text", 1)
	assert.Equal(t, http.StatusOK, status, "the first is spared")
	assert.Contains(t, page, "vllm:generation_tokens_total")
	status, page = get("metrics-status=503/text", 2)
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Equal(t, "Service Unavailable", page)
	_, page = get("metrics-without=generation_tokens", 2)
	assert.NotContains(t, page, "vllm:generation_tokens_total")
	assert.NotContains(t, page, "vllm:request_generation_tokens")
	assert.Contains(t, page, "vllm:prompt_tokens_total")
	began := time.Now()
	_, page = get("metrics-slow=30ms", 2)
	assert.GreaterOrEqual(t, time.Since(began), 30*time.Millisecond)
	assert.Contains(t, page, "vllm:generation_tokens_total")
}

// TestGatheredPageStays: a page that is being written is not changed by a restart meanwhile.
func TestGatheredPageStays(t *testing.T) {
	var p page
	claims := func(all []*dto.MetricFamily) float64 {
		for _, f := range all {
			if f.GetName() == "process_start_time_seconds" {
				return f.Metric[0].GetGauge().GetValue()
			}
		}
		require.Fail(t, "no start is claimed")
		return 0
	}
	s, err := Config{}.resolve()
	require.NoError(t, err)
	p.begin(newMetrics(s).registry)
	p.started = 1
	all, err := p.gather(nil)
	require.NoError(t, err)
	p.begin(newMetrics(s).registry)
	assert.EqualValues(t, 1, claims(all))
	again, err := p.gather(nil)
	require.NoError(t, err)
	assert.Greater(t, claims(again), 1.0)
}
