package fleet

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func collect(t *testing.T, w Workload) (all []Arrival) {
	t.Helper()
	arrivals, err := w.Arrivals()
	require.NoError(t, err)
	for a, more := arrivals.Next(); more; a, more = arrivals.Next() {
		all = append(all, a)
	}
	return all
}

// TestConversations: a turn begins with the prompt before and its answer, comes
// at least half the think time later, and a conversation has as many as asked.
func TestConversations(t *testing.T) {
	w := talk(50)
	w.For, w.Turns, w.Context = 10*time.Minute, 3, 0
	last := map[prefixID]Arrival{}
	turns := 0
	for _, a := range collect(t, w) {
		id := a.Prefixes[0]
		require.True(t, id.conversation)
		if before, ok := last[id]; ok {
			require.GreaterOrEqual(t, a.At-before.At, w.Think/2)
			require.Equal(t, history(before.Request), a.Request.Prompt[:len(before.Request.Prompt)+before.Request.MaxTokens])
			require.Equal(t, before.Prefixes, a.Prefixes)
		}
		last[id] = a
		turns++
	}
	assert.InEpsilon(t, 3, float64(turns)/float64(len(last)), 0.05)
}

// TestPopularity: shares of the shared prefixes follow Zipf's law, and equal ones are equal tokens.
func TestPopularity(t *testing.T) {
	w := talk(500)
	w.Turns = 1
	all := collect(t, w)
	count := make([]float64, w.Prefixes)
	first := make([][]int32, w.Prefixes)
	for _, a := range all {
		k := a.Prefixes[1].number
		count[k]++
		if first[k] == nil {
			first[k] = a.Request.Prompt[:200]
		}
		require.Equal(t, first[k], a.Request.Prompt[:200])
	}
	harmonic := 0.0
	for k := range w.Prefixes {
		harmonic += 1 / float64(k+1)
	}
	for k := range 5 {
		assert.InEpsilon(t, float64(len(all))/harmonic/float64(k+1), count[k], 0.06, "prefix %d", k)
	}
	assert.NotEqual(t, first[0][:16], first[1][:16])
}

func TestLengths(t *testing.T) {
	w := Workload{Rate: 500, For: time.Minute, Prompt: Lengths{120, 0.8, 2000}, Output: Lengths{50, 0.5, 0}}
	var prompts, outputs []int
	for _, a := range collect(t, w) {
		require.Len(t, a.Prefixes, 1)
		prompts, outputs = append(prompts, len(a.Request.Prompt)), append(outputs, a.Request.MaxTokens)
	}
	slices.Sort(prompts)
	slices.Sort(outputs)
	n := len(prompts)
	assert.InEpsilon(t, 120, prompts[n/2], 0.03)
	assert.InEpsilon(t, 120*math.Exp(0.8), prompts[n*8413/10000], 0.04, "one sigma above")
	assert.InEpsilon(t, 50*math.Exp(-0.5), outputs[n*1587/10000], 0.04, "one sigma below")
	assert.LessOrEqual(t, prompts[n-1], 2000)

	w.Prompt = Lengths{}
	assert.Len(t, collect(t, w)[0].Request.Prompt, 1, "a prompt has a token")
}

func TestWorkloadRefuses(t *testing.T) {
	for want, change := range map[string]func(*Workload){
		"prompt lengths have a median of -1 tokens": func(w *Workload) { w.Prompt.Median = -1 },
		"output lengths have a median of NaN":       func(w *Workload) { w.Output.Median = math.NaN() },
		"prefix lengths have a median of 600":       func(w *Workload) { w.Prefix.Sigma = 4 },
		"Zipf exponent (at most 10)":                func(w *Workload) { w.Zipf = 11 },
		"the phases ask for no arrival":             func(w *Workload) { w.Rate = 0 },
	} {
		w := talk(1)
		change(&w)
		_, err := w.Arrivals()
		assert.ErrorContains(t, err, want)
	}
}

func TestPlan(t *testing.T) {
	each := Instance{Streams: 896, Tokens: 43_300}
	for _, tt := range []struct {
		target Target
		each   Instance
		want   Need
	}{
		{Target{100, 4 * time.Second, 100}, each, Need{400, 10_000, 400 / 537.6, 10_000 / 25_980.0, 1}},
		{Target{1000, 5 * time.Second, 100}, each, Need{5000, 100_000, 5000 / 537.6, 100_000 / 25_980.0, 10}},
		{Target{1000, time.Second, 500}, each, Need{1000, 500_000, 1000 / 537.6, 500_000 / 25_980.0, 20}},
		{Target{896, time.Second, 1}, Instance{896, 43_300, 1}, Need{896, 896, 1, 896 / 43_300.0, 1}},
	} {
		got, err := Plan(tt.target, tt.each)
		require.NoError(t, err)
		assert.InEpsilonSlice(t, []float64{tt.want.Streams, tt.want.Tokens, tt.want.ByStreams, tt.want.ByTokens}, []float64{got.Streams, got.Tokens, got.ByStreams, got.ByTokens}, 1e-9)
		assert.Equal(t, tt.want.Instances, got.Instances)
	}
	for _, bad := range []Target{{}, {Rate: 1, E2E: 1}, {Rate: math.Inf(1), E2E: 1, Output: 1}, {Rate: 1, E2E: -1, Output: 1}} {
		_, err := Plan(bad, each)
		assert.ErrorContains(t, err, "a plan needs rate, E2E and output")
	}
	_, err := Plan(Target{1, 1, 1}, Instance{1, 1, 1.1})
	assert.Error(t, err)
}

func TestParseRouter(t *testing.T) {
	for text, want := range map[string]Router{"random": {Policy: "random"}, "least-loaded@500ms": {Policy: "least-loaded", Stale: 500 * time.Millisecond}} {
		got, err := ParseRouter(text)
		require.NoError(t, err)
		assert.Equal(t, want, got)
		assert.Equal(t, text, got.String())
	}
	for text, want := range map[string]string{
		"": `"" is no routing policy: name one of round-robin, random`, "best@1s": `"best" is no routing policy`,
		"random@": `the router "random@" has no staleness behind its @`, "random@-1s": "write a time above 0, as in random@500ms",
	} {
		_, err := ParseRouter(text)
		assert.ErrorContains(t, err, want, text)
	}
}

func FuzzParseRouter(f *testing.F) {
	f.Add("prefix")
	f.Add("least-loaded@1m0.5s")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRouter(text)
		if err != nil {
			return
		}
		again, err := ParseRouter(r.String())
		require.NoError(t, err)
		require.Equal(t, r, again)
	})
}

func TestWrite(t *testing.T) {
	good := Outcome{Offered: 100, Served: 99.7, TTFT: Quantiles{123_456_789, 2e9, 3e9}, Goodput: 98.76, Met: 0.98765, HitRate: 0.5, Imbalance: 1.25, InFlight: 3}
	grown := good
	grown.Growth = 5
	var out bytes.Buffer
	require.NoError(t, Write(&out, []Point{{10, Router{Policy: "random"}, 0.5, &good}, {1000, Router{Policy: "prefix", Stale: time.Second}, 1, &grown}}))
	lines := strings.Split(out.String(), "\n")
	assert.Equal(t, []string{"10", "random", "0.50", "100", "99.7", "123", "ms,", "2", "s,", "3", "s", "0", "ms,", "0", "ms", "0", "ms,", "0", "ms", "98.8", "98.8", "%", "50", "%", "1.25", "x", "3", "0"}, strings.Fields(lines[1]))
	assert.Contains(t, lines[2], "the queue grows")
	assert.NotContains(t, lines[2], "98.8")
}
