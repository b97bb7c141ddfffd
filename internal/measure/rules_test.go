package measure

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/client"
	"vllmbench/internal/engine"
)

// Each case breaks the clean run in one way. It must void the row with that
// reason, or take out exactly the metrics that the fault touches.
func TestFaultsVoidWhatTheyTouch(t *testing.T) {
	for _, tc := range []struct {
		name    string
		broken  func(*Run)
		void    string   // part of the row's reason; "" if the row stays valid
		leftOut []string // beyond those that have too few samples
	}{
		{"nothing", func(*Run) {}, "", nil},
		{"a failed request", func(r *Run) {
			r.Streams[1][2].Outcome, r.Streams[1][2].Error = client.Truncated, "no [DONE]"
		}, "1 failed (truncated): no [DONE]", nil},
		{"a foreign request", func(r *Run) { r.Server.Requests.N++ }, "the server counted 1 more finished requests than the 10 of ours", nil},
		{"a lost token", func(r *Run) { r.Server.GenerationTokens.N-- }, "the server counted 1 fewer generated tokens than the 100 of ours", nil},
		{"a longer prompt", func(r *Run) { r.Server.PromptTokens.N += 13 }, "13 more prompt tokens", nil},
		{"a cached prompt", func(r *Run) { r.Server.PrefixHits.N = 16 }, "prefix cache hits: 16 prompt tokens", nil},
		{"another tier's cache", func(r *Run) { r.Server.ExternalHits = engine.Value{N: 32, Known: true} }, "external prefix cache hits: 32", nil},
		{"a restarted server", func(r *Run) { r.Server = engine.Delta{Reset: true, Why: "it was started anew"} }, "since it was started anew", nil},
		{"a reopened connection", func(r *Run) { r.Opened = 1 }, "1 connections were opened inside the window", nil},
		{"a cached prompt by usage", func(r *Run) {
			r.Server = engine.Delta{}
			r.Streams[0][1].CachedTokens = 16
		}, "16 prompt tokens by the usage of the answers", nil},
		{"a server that closes all connections", func(r *Run) { r.Opened, r.Reopens = 10, true }, "", nil},
		{"a server without metrics", func(r *Run) { r.Server = engine.Delta{} }, "", nil},
		{"a slow client", func(r *Run) {
			for i := range r.Streams {
				r.Streams[i][1].End -= 20 * ms // its next request is sent that much later
			}
		}, "", []string{"tok/s", "total-tok/s", "req/s", "p50-ttft-ns", "mean-ttft-ns", "engine-ttft-ns", "p90-itl-ns", "p50-e2e-ns", "mean-e2e-ns"}},
		{"a client that is late for the step", func(r *Run) {
			r.Limits.set[limitTurnaround] = 0.1
			r.Streams[0][1].End -= 20 * ms
		}, "", []string{"p50-ttft-ns", "mean-ttft-ns", "engine-ttft-ns", "p90-itl-ns"}},
		{"a slow client of one stream", func(r *Run) {
			r.Streams = r.Streams[:1]
			r.Server = counted(r.Streams)
			r.Streams[0][1].End -= 20 * ms
		}, "", []string{"tok/s", "total-tok/s", "req/s"}},
		{"a busy client", func(r *Run) { r.CPU = r.Window.Length() * 3 / 2 }, "", []string{"tok/s", "total-tok/s", "req/s"}},
		{"merged events", func(r *Run) { r.Streams[0][1].Events[5].Merged = true }, "", []string{"p50-itl-ns", "p90-itl-ns"}},
		{"few merged events, in the tail", func(r *Run) {
			r.Limits.set[limitMerged] = 0.2
			for i := 2; i <= 8; i += 2 { // 4 gaps of 20 ms among 54, of which 5 lie beyond p90
				merge(&r.Streams[0][1], i)
			}
			merge(&r.Streams[0][2], 5)
		}, "", []string{"p90-itl-ns"}},
		{"few merged events, beyond the tail", func(r *Run) {
			r.Limits.set[limitMerged] = 0.2
			merge(&r.Streams[0][1], 4)
			merge(&r.Streams[0][2], 4)
		}, "", nil},
		{"a first token read with the second", func(r *Run) { r.Streams[0][1].Events[1].Merged = true }, "",
			[]string{"p50-itl-ns", "p90-itl-ns", "p50-ttft-ns", "mean-ttft-ns", "egress-ttft-ns", "p50-tpot-ns", "mean-tpot-ns", "mean-itl-ns"}},
		{"guessed tokens", func(r *Run) { guess(&r.Streams[0][1]) }, "", []string{"p50-itl-ns", "p90-itl-ns", "mean-itl-ns"}},
		{"a guessed token in hundreds", func(r *Run) {
			r.Limits = Limits{map[string]float64{limitTail: 2, limitMerged: 1.0 / 60}} // one of 60
			guess(&r.Streams[0][1])
		}, "", nil},
		{"missing kernel stamps", func(r *Run) { r.Streams[0][1].Unstamped = 1 }, "", []string{"p50-itl-ns", "p90-itl-ns"}},
		{"late user stamps", func(r *Run) {
			r.Stamps, r.Lateness = client.UserStamps, []time.Duration{ms, ms}
		}, "", []string{"p50-itl-ns", "p90-itl-ns"}},
		{"timely user stamps", func(r *Run) {
			r.Stamps, r.Lateness = client.UserStamps, []time.Duration{ms / 10, ms / 10}
		}, "", nil},
		{"tokens before the server made them", func(r *Run) { r.Server.TTFT.Sum += 1 }, "",
			[]string{"p50-ttft-ns", "mean-ttft-ns", "engine-ttft-ns", "egress-ttft-ns"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := clean()
			r.Quantiles = []int{50, 90}
			r.Limits = Limits{map[string]float64{limitTail: 2}} // 2 samples beyond p90 are 20: enough for gaps only
			tc.broken(r)
			row := r.Row()
			if tc.void == "" {
				require.Empty(t, row.Void)
			} else {
				require.Len(t, row.Void, 1)
				assert.Contains(t, row.Void[0], tc.void)
			}
			var got []string
			for _, l := range row.LeftOut {
				if l.Rule != "samples" {
					got = append(got, l.Metric)
					assert.NotEmpty(t, l.Reason)
				}
			}
			assert.ElementsMatch(t, tc.leftOut, got)
			for _, m := range got {
				_, there := row.Value(m)
				assert.False(t, there, "%s is left out and shown", m)
			}
		})
	}
}

// merge gives event i-1 the stamp of event i.
func merge(r *client.Result, i int) {
	r.Events[i-1].At, r.Events[i].Merged = r.Events[i].At, true
}

// guess takes an event's token for one of the event before, as a busy server sends them.
func guess(r *client.Result) {
	r.Estimated = true
	r.Events = append(r.Events[:5:5], r.Events[6:]...)
	r.Events[4].Tokens = 2
}

// Failures that the user allows cost their own tokens and times, no others.
func TestAllowedFailures(t *testing.T) {
	r := clean()
	require.NoError(t, r.Limits.Set("errors=1"))
	r.Streams[1][2].Outcome = client.HTTP5xx
	row := r.Row()
	assert.Empty(t, row.Void)
	assert.Equal(t, 5, row.Requests)
	assert.InEpsilon(t, 1.0/3, value(t, row, "errors/op"), 1e-9)
	assert.Empty(t, row.Wire, "the server's means have the failed request in them")
}

func TestQuantilesNeedSamples(t *testing.T) {
	row := clean().Row() // 6 requests, 60 gaps less 6
	reasons := map[string]string{}
	for _, l := range row.LeftOut {
		reasons[l.Metric] = l.Reason
	}
	assert.Equal(t, "6 samples, of the 100 that bound it", reasons["p90-ttft-ns"])
	assert.Equal(t, "6 samples, of the 1000 that bound it", reasons["p99-e2e-ns"])
	assert.Equal(t, "54 samples, of the 1000 that bound it", reasons["p99-itl-ns"])
}

func TestQuantileIsNearestRank(t *testing.T) {
	for _, tc := range []struct{ n, q, want int }{
		{1, 50, 1}, {1, 99, 1}, {2, 50, 1}, {3, 50, 2}, {3, 99, 3}, {10, 50, 5}, {10, 90, 9}, {100, 50, 50}, {100, 90, 90}, {100, 99, 99}, {1000, 99, 990}, {100, 1, 1},
	} {
		s := make(sample, tc.n)
		for i := range s {
			s[i] = time.Duration(i + 1)
		}
		assert.EqualValues(t, tc.want, s.quantile(tc.q), "p%d of %d", tc.q, tc.n)
	}
}

func TestLimits(t *testing.T) {
	var l Limits
	assert.Equal(t, 0, l.MaxErrors())
	assert.Empty(t, l.String())
	require.NoError(t, l.Set("merged=0.05,errors=3"))
	assert.Equal(t, 3, l.MaxErrors())
	assert.Equal(t, "errors=3,merged=0.05", l.String())
	for in, want := range map[string]string{
		"lagg=1":    `there is no limit "lagg"`,
		"lag":       `"lag" is not of the form`,
		"lag=-1":    `"lag=-1" is not of the form`,
		"lag=NaN":   `"lag=NaN" is not of the form`,
		"":          `"" is not of the form`,
		"lag=1,,":   `"" is not of the form`,
		"lag=fifty": `"lag=fifty" is not of the form`,
	} {
		assert.ErrorContains(t, new(Limits).Set(in), want)
	}
	var b strings.Builder
	l.Explain(&b, DefaultQuantiles)
	for _, d := range limits {
		assert.Contains(t, b.String(), d.why)
	}
	for _, m := range Metrics(DefaultQuantiles) {
		assert.Contains(t, b.String(), m.Name)
	}
}
