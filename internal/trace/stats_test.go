package trace

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// at makes requests of one token in and out at so many milliseconds.
func at(ms ...int) *Trace {
	t := &Trace{}
	for _, m := range ms {
		t.Requests = append(t.Requests, Request{At: time.Duration(m) * time.Millisecond, Prompt: 1, Output: 1})
	}
	return t
}

func TestStatsByHand(t *testing.T) {
	s := at(0, 0, 500, 2500, 4000, 4000).Stats() // 3, 0, 1, 0 in the whole seconds
	assert.Equal(t, 4*time.Second, s.Length)
	assert.InDelta(t, 5.0/4, s.Rate, 1e-12)
	assert.InDelta(t, 2, s.Dispersion, 1e-12) // mean 1, variance (4+1+0+1)/3
	gaps := []float64{0, 0.5, 2, 1.5, 0}      // mean 0.8
	squares := 0.0
	for _, g := range gaps {
		squares += (g - 0.8) * (g - 0.8)
	}
	assert.InDelta(t, math.Sqrt(squares/4)/0.8, s.GapCV, 1e-12)
	assert.True(t, math.IsNaN(s.Peak), "shorter than its window")
	assert.True(t, math.IsNaN(s.Reuse))

	s = at(0, 6000, 7000, 14000, 15999, 17000, 30000).Stats()
	assert.InDelta(t, 0.4, s.Peak, 1e-12, "6000 to 15999: the window is half open")
}

func TestStatsOfPoissonArrivals(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	trace, now := &Trace{}, 0.0
	for range 100_000 {
		trace.Requests = append(trace.Requests, Request{At: time.Duration(now * 1e9), Prompt: 1 + r.IntN(100), Output: 7})
		now += r.ExpFloat64() / 20
	}
	s := trace.Stats()
	assert.InEpsilon(t, 20, s.Rate, 0.01)
	assert.InDelta(t, 1, s.Dispersion, 0.05)
	assert.InDelta(t, 1, s.GapCV, 0.01)
	assert.InDelta(t, 50.5, s.Prompt.Mean, 0.5)
	assert.InDelta(t, 50, s.Prompt.P50, 1)
	assert.InDelta(t, 99, s.Prompt.P99, 1)
	assert.Equal(t, 100.0, s.Prompt.Max)
	assert.Equal(t, Lengths{7, 7, 7, 7, 7}, s.Output)
}

func TestReuse(t *testing.T) {
	trace := &Trace{Block: 512, Requests: []Request{
		{Prompt: 1000, Blocks: []uint64{1, 2}},
		{Prompt: 1024, Blocks: []uint64{1, 3}}, // 512 again
		{Prompt: 1000, Blocks: []uint64{1, 2}}, // all again
		{Prompt: 976, Blocks: []uint64{3, 1}},  // no start
	}}
	assert.InDelta(t, 1512.0/4000, trace.Stats().Reuse, 1e-12)
}

func TestLines(t *testing.T) {
	trace, err := ReadFile("../../testdata/traces/mooncake.jsonl", Options{})
	require.NoError(t, err)
	assert.Equal(t, sampleLines, trace.Stats().String())
	assert.Equal(t, "requests: 1 in 0s\narrivals: too few for their statistics\nprompt: mean 1.00, p50 1.00, p90 1.00, p99 1.00, most 1.00 tokens\n"+
		"output: mean 1.00, p50 1.00, p90 1.00, p99 1.00, most 1.00 tokens\nprefixes: the trace does not tell which prompts begin alike, so every prompt is new",
		at(0).Stats().String())
}

func TestLongest(t *testing.T) {
	assert.Equal(t, 7, (&Trace{Requests: []Request{{Prompt: 5, Output: 1}, {Prompt: 3, Output: 4}}}).Longest())
}

func TestThree(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 0.01234: "0.0123", 1: "1.00", 99.96: "100", 123.4: "123", 12345: "12 300", 1.5e6: "1 500 000"} {
		assert.Equal(t, want, three(x))
	}
}

const sampleLines = `requests: 40 in 9.7s, 4.02 req/s
arrivals: the coefficient of variation of gaps is 0.937, the index of dispersion of counts in 1 s is 0.696; Poisson arrivals have 1
prompt: mean 1 190, p50 1 250, p90 1 680, p99 2 050, most 2 050 tokens
output: mean 24.2, p50 19.0, p90 46.0, p99 92.0, most 92.0 tokens
prefixes: 44.2 % of the prompt tokens repeat the start of an earlier prompt`
