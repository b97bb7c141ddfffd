package vllmsim

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rehearse sends a load to an engine on the fake clock, and returns what its streams saw.
func rehearse(t *testing.T, c Config, load Load) (p Prediction) {
	synctest.Test(t, func(t *testing.T) {
		e := startEngine(t, c, 0)
		var ttfts, itls []time.Duration
		for id := range load.Rounds + 1 {
			at := arrivals(submit(e, uint64(id+1), load.Prompt, load.Output), time.Now())
			if id == 0 {
				continue
			}
			ttfts = append(ttfts, at[0])
			for i := 1; i < len(at); i++ {
				itls = append(itls, at[i]-at[i-1])
			}
		}
		slices.Sort(ttfts)
		slices.Sort(itls)
		p = Prediction{TTFT: ttfts[len(ttfts)/2], ITL: itls[len(itls)/2]}
	})
	return p
}

// A prediction is what an engine does, to the nanosecond.
func TestPredictIsTheEngine(t *testing.T) {
	for _, c := range []Config{{}, {NoAsyncScheduling: true}, {GPU: "L4", Model: "Qwen2.5-0.5B", MaxNumBatchedTokens: 256, MaxNumSeqs: 4}} {
		load := Load{Streams: 1, Prompt: 700, Output: 30, Rounds: 3}
		want := rehearse(t, c, load)
		got, err := Predict(c, load)
		require.NoError(t, err)
		assert.Equal(t, want.TTFT, got.TTFT)
		assert.Equal(t, want.ITL, got.ITL)
		total := want.TTFT + 29*want.ITL
		assert.InEpsilon(t, 30/total.Seconds(), got.TokensPerSec, 0.01)
	}
}

func TestPredictOfManyStreams(t *testing.T) {
	at := func(streams, seqs int) Prediction {
		p, err := Predict(Config{GPU: "H200", MaxNumSeqs: seqs}, Load{Streams: streams, Prompt: 50, Output: 50, Rounds: 3})
		require.NoError(t, err)
		return p
	}
	one, eight, queued := at(1, 0), at(8, 0), at(8, 4)
	assert.InEpsilon(t, 8*one.TokensPerSec, eight.TokensPerSec, 0.15, "decode is bound by the weights")
	assert.Less(t, queued.TokensPerSec, 0.6*eight.TokensPerSec)
	assert.Greater(t, queued.TTFT, 10*eight.TTFT, "half of them wait for a whole request")
}

func TestPredictWithABusyAPIServer(t *testing.T) {
	c := Config{GPU: "H200", Timing: Timing{Request: 5 * time.Millisecond, Latency: 2 * time.Millisecond}}
	load := Load{Streams: 1, Prompt: 10, Output: 1, Rounds: 2}
	alone, err := Predict(c, load)
	require.NoError(t, err)
	bare, err := Predict(Config{GPU: "H200"}, load)
	require.NoError(t, err)
	assert.Equal(t, 7*time.Millisecond, alone.TTFT-bare.TTFT)
	assert.Zero(t, alone.ITL, "one token has no interval")

	load.Streams = 8
	crowd, err := Predict(c, load)
	require.NoError(t, err)
	assert.InDelta(t, 7*5e6, float64(crowd.TTFT-alone.TTFT), 1e6, "all come together, and through together")
}

func TestPredictRefuses(t *testing.T) {
	_, err := Predict(Config{Model: "gpt-2"}, Load{Streams: 1, Prompt: 1, Output: 1})
	assert.ErrorContains(t, err, `unknown model "gpt-2"`)
}
