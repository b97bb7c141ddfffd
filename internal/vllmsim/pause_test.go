package vllmsim

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPause(t *testing.T) {
	url := start(t, Config{SleepUntil: func(time.Time) {}})
	_, body := do(t, "POST", url+"/pause?mode=keep", "")
	assert.JSONEq(t, `{"status":"paused"}`, body)
	_, body = do(t, "GET", url+"/is_paused", "")
	assert.JSONEq(t, `{"is_paused":true}`, body)

	resp, err := http.Post(url+"/v1/completions", "application/json", strings.NewReader(`{"prompt":[1],"max_tokens":3,"stream":true}`))
	require.NoError(t, err)
	defer resp.Body.Close()
	m := scrape(t, url)
	assert.Zero(t, value(t, m, "num_requests_running"))
	assert.Zero(t, value(t, m, "generation_tokens_total"))

	_, body = do(t, "POST", url+"/resume", "")
	assert.JSONEq(t, `{"status":"resumed"}`, body)
	all, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Contains(t, string(all), "data: [DONE]")

	for _, mode := range []string{"", "?mode=wait"} {
		resp, _ := do(t, "POST", url+"/pause"+mode, "")
		assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
	}
}

// A pause ends the steps in flight and begins no other.
func TestPauseInMidRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := startEngine(t, Config{}, 0)
		j := submit(e, 1, 10, 50)
		time.Sleep(100 * time.Millisecond)
		e.await(func() { e.paused = true })
		time.Sleep(100 * time.Millisecond)
		at := j.produced.Load()
		time.Sleep(time.Second)
		assert.Equal(t, at, j.produced.Load())
		assert.Less(t, at, int64(20))
		e.await(func() { e.paused = false })
		time.Sleep(time.Second)
		assert.EqualValues(t, 50, j.produced.Load())
	})
}

func TestPauseEmptiesThePrefixCache(t *testing.T) {
	for query, want := range map[string]float64{"": 0, "&clear_cache=false": 16} {
		url := start(t, Config{SleepUntil: func(time.Time) {}})
		ask := `{"prompt":[` + numbers(20) + `],"max_tokens":1}`
		do(t, "POST", url+"/v1/completions", ask)
		do(t, "POST", url+"/pause?mode=keep"+query, "")
		do(t, "POST", url+"/resume", "")
		do(t, "POST", url+"/v1/completions", ask)
		assert.Equal(t, want, value(t, scrape(t, url), "prefix_cache_hits_total"), query)
	}
}

func TestStreamInterval(t *testing.T) {
	url := start(t, Config{StreamInterval: 3, SleepUntil: func(time.Time) {}})
	tests := []struct {
		fields string
		want   []int // tokens an event
	}{
		{`"max_tokens":1`, []int{1}},
		{`"max_tokens":8`, []int{1, 3, 3, 1}},
		{`"max_tokens":7,"stream_interval":2`, []int{1, 3, 3}},
		{`"max_tokens":8,"stream_interval":5`, []int{1, 5, 2}},
	}
	for _, tt := range tests {
		_, body := do(t, "POST", url+"/v1/completions", `{"prompt":[1,2],"stream":true,"return_token_ids":true,`+tt.fields+`}`)
		var got []int
		lines := bufio.NewScanner(strings.NewReader(body))
		for lines.Scan() {
			if _, ids, ok := strings.Cut(lines.Text(), `,"token_ids":[`); ok {
				ids, _, _ = strings.Cut(ids, "]")
				got = append(got, 1+strings.Count(ids, ","))
			}
		}
		assert.Equal(t, tt.want, got, tt.fields)
	}
}

func TestMFUMetrics(t *testing.T) {
	for _, on := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			e := startEngine(t, Config{EnableMFUMetrics: on}, 0)
			submit(e, 1, 100, 1)
			time.Sleep(time.Second)
			work := soloSteps(t, 100, 1)[0].work
			m := gather(t, e)
			if !on {
				work.FLOPs, work.Bytes = 0, 0
			}
			assert.Equal(t, work.FLOPs, value(t, m, "estimated_flops_per_gpu_total"))
			assert.InDelta(t, work.Bytes, value(t, m, "estimated_read_bytes_per_gpu_total")+value(t, m, "estimated_write_bytes_per_gpu_total"), 1)
		})
	}
}

// The priority of a request decides who comes first, if the server heeds it.
func TestPriorityOfRequests(t *testing.T) {
	for policy, want := range map[string][]int32{"fcfs": {1, 2, 3}, "priority": {2, 1, 3}} {
		s, err := New(Config{SchedulingPolicy: policy})
		require.NoError(t, err)
		defer s.Close()
		front := httptest.NewServer(s.http.Handler)
		defer front.Close()
		do(t, "POST", front.URL+"/pause?mode=keep", "")
		for _, ask := range []string{`{"prompt":[1]`, `{"prompt":[2],"priority":-1`, `{"prompt":[3],"priority":0`} {
			resp, err := http.Post(front.URL+"/v1/completions", "application/json", strings.NewReader(ask+`,"stream":true}`))
			require.NoError(t, err)
			defer resp.Body.Close()
		}
		var got []int32
		s.engine.await(func() {
			for _, r := range s.engine.sched.waiting.requests {
				got = append(got, r.Prompt[0])
			}
		})
		assert.Equal(t, want, got, "%s: of equal priority, by arrival", policy)
	}
}
