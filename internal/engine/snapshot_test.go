package engine

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func snapshot(t testing.TB, body, model string) *Snapshot {
	t.Helper()
	p, err := parse([]byte(body))
	require.NoError(t, err)
	return p.snapshot(model)
}

func known(n float64) Value { return Value{n, true} }

func TestSnapshotOfVLLM032(t *testing.T) {
	want := &Snapshot{
		Counters: Counters{
			Finished:         map[string]float64{"length": 44, "stop": 0, "abort": 0, "error": 0, "repetition": 0},
			Requests:         known(44),
			PromptTokens:     known(12376),
			GenerationTokens: known(5377),
			PrefixQueries:    known(12376),
			PrefixHits:       known(3968),
			ExternalHits:     known(0),
			Preemptions:      known(0),
			TTFT:             Hist{0.8176512718200684, 45, true},
			ITL:              Hist{9.619391774999713, 5332, true},
			E2E:              Hist{8.657698631286621, 44, true},
			Queue:            Hist{0.0016870480004627098, 44, true},
			Prefill:          Hist{0.5572904959998368, 44, true},
			Decode:           Hist{7.886258953999686, 44, true},
		},
		Running: known(0), Waiting: known(0), KVUse: known(0),
		Engines: 1,
		Started: 1.79544584096e+09,
		Created: 1.79544590711408e+09,
	}
	page := read(t, "vllm-0.32.0.metrics.txt")
	for _, model := range []string{"", "tiny", "another name of it"} {
		assert.Equal(t, want, snapshot(t, page, model), "one model on the page, asked for as %q", model)
	}
}

func TestSnapshotSumsEnginesAndReadsOldNames(t *testing.T) {
	assert.Equal(t, &Snapshot{
		Counters: Counters{
			Finished:         map[string]float64{"length": 6, "abort": 1},
			Requests:         known(7),
			PromptTokens:     known(1500),
			GenerationTokens: known(96),
			PrefixQueries:    known(1500),
			PrefixHits:       known(160),
			TTFT:             Hist{0.75, 6, true},
			ITL:              Hist{0.6, 60, true},
		},
		Running: known(7), Waiting: known(2), KVUse: known(0.5),
		Engines: 2,
		Created: 3.4e9,
	}, snapshot(t, read(t, "vllm-0.8-two-engines.metrics.txt"), "m"))
}

func TestInFlight(t *testing.T) {
	assert.Equal(t, known(9), snapshot(t, read(t, "vllm-0.8-two-engines.metrics.txt"), "m").InFlight())
	assert.Equal(t, Value{}, (&Snapshot{Running: known(7)}).InFlight())
	assert.Equal(t, Value{}, (&Snapshot{Waiting: known(7)}).InFlight())
}

func TestNewNameWinsOverOld(t *testing.T) {
	s := snapshot(t, `
# TYPE vllm:gpu_cache_usage_perc gauge
vllm:gpu_cache_usage_perc 0.9
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc 0.5
`, "")
	assert.Equal(t, known(0.5), s.KVUse, "some versions have both: they are one number, not two engines")
}

func TestSnapshotOfOneModelOfSeveral(t *testing.T) {
	page := `
# TYPE vllm:prompt_tokens_total counter
vllm:prompt_tokens_total{model_name="a"} 10
vllm:prompt_tokens_total{model_name="b"} 20
`
	for model, want := range map[string]Value{"": known(30), "a": known(10), "b": known(20), "c": {}} {
		assert.Equal(t, want, snapshot(t, page, model).PromptTokens, "model %q", model)
	}
}

func TestMissingIsUnknown(t *testing.T) {
	for name, page := range map[string]string{
		"empty":        "",
		"other server": "# TYPE sglang:num_running_reqs gauge\nsglang:num_running_reqs 3\n",
		"NaN":          "# TYPE vllm:prompt_tokens_total counter\nvllm:prompt_tokens_total NaN\n",
		"infinite":     "# TYPE vllm:prompt_tokens_total counter\nvllm:prompt_tokens_total +Inf\n",
		"other types":  "# TYPE vllm:time_to_first_token_seconds gauge\nvllm:time_to_first_token_seconds 1\n# TYPE vllm:prompt_tokens_total summary\nvllm:prompt_tokens_total_sum 1\n",
	} {
		assert.Equal(t, &Snapshot{}, snapshot(t, page, ""), name)
	}
}

func TestSnapshotSaysWhatIsWrong(t *testing.T) {
	c := start(t, routes{})
	_, err := c.Snapshot(t.Context(), "")
	assert.EqualError(t, err, c.URL+" gives no metrics (GET /metrics: 404 Not Found): give the URL of the server itself, not of a router before it")

	c = start(t, routes{"GET /metrics": says(200, "<html>\x1b[31m")})
	_, err = c.Snapshot(t.Context(), "")
	assert.ErrorContains(t, err, c.URL+" gives no metrics (GET /metrics: its answer is not Prometheus' text format (")
	assert.NotContains(t, err.Error(), "\x1b")
}

func TestSnapshotIsStampedBeforeItIsRead(t *testing.T) {
	before := time.Now()
	s, err := start(t, vllmRoutes(t, nil)).Snapshot(t.Context(), "tiny")
	require.NoError(t, err)
	assert.False(t, s.At.Before(before))
	assert.Equal(t, known(44), s.Requests)
}

func TestMean(t *testing.T) {
	mean, ok := Hist{Sum: 3, Count: 4, Known: true}.Mean()
	assert.True(t, ok)
	assert.Equal(t, 0.75, mean)
	for _, h := range []Hist{{}, {Sum: 3, Count: 4}, {Known: true}} {
		_, ok := h.Mean()
		assert.False(t, ok, "%+v", h)
	}
}

// Whatever a server sends, reading it does not panic and knows finite numbers only.
func FuzzPage(f *testing.F) {
	f.Add([]byte(read(f, "vllm-0.8-two-engines.metrics.txt")), "m")
	f.Add([]byte("# TYPE vllm:e2e_request_latency_seconds histogram\nvllm:e2e_request_latency_seconds_sum 1e308\nvllm:e2e_request_latency_seconds_count -1\n"), "")
	f.Add([]byte(strings.Repeat("vllm:prompt_tokens_total{model_name=\"a\"} 1e308\n", 3)), "a")
	f.Add([]byte("vllm:cache_config_info{a=\"b\"} 1\n"), "")
	f.Fuzz(func(t *testing.T, body []byte, model string) {
		p, err := parse(body)
		if err != nil {
			return
		}
		p.labels("vllm:cache_config_info", Clean)
		s := p.snapshot(model)
		for _, v := range []Value{s.Requests, s.PromptTokens, s.Running, s.Waiting, s.KVUse} {
			assert.False(t, math.IsNaN(v.N) || math.IsInf(v.N, 0))
			assert.True(t, v.Known || v.N == 0)
		}
		for _, h := range []Hist{s.TTFT, s.ITL, s.E2E} {
			_, ok := h.Mean()
			assert.False(t, ok && !h.Known)
		}
		d := s.Since(s)
		assert.False(t, d.Reset, d.Why)
	})
}
