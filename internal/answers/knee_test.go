package answers

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var sixBatches = []int{1, 2, 4, 8, 16, 32}

// capped is a server that runs at most so many requests at once, each of which
// slows the others a little.
func capped(at float64) func(float64) float64 {
	return func(b float64) float64 { return 200 * min(b, at) / (1 + 0.012*(min(b, at)-1)) }
}

func TestKneeIsFound(t *testing.T) {
	const seeds = 200
	for _, at := range []float64{4, 8, 12} {
		covered := 0
		for seed := range uint64(seeds) {
			s := newSample(seed)
			for r := range 8 {
				s.sweep(r+1, sixBatches, 0.02, capped(at))
			}
			k := fitKnee(newView(s.run).batches("tok/s"))
			require.NotNil(t, k)
			require.True(t, k.Found, "knee at %g, seed %d", at, seed)
			assert.InDelta(t, math.Log2(at), math.Log2(k.Batch.Value), 1, "more than one batch step off: knee at %g, seed %d", at, seed)
			assert.InDelta(t, 1, k.Before.Value, 0.12)
			assert.InDelta(t, 0, k.After.Value, 0.3)
			require.NotNil(t, k.Batch.Low)
			if *k.Batch.Low <= 1.1*at && at <= 1.1**k.Batch.High {
				covered++
			}
		}
		t.Logf("knee at %g: found in %d of %d runs, its interval within 10 %% of it in %d", at, seeds, seeds, covered)
	}
}

// A server that scales perfectly, or loses gradually, has no knee, however
// much it loses in the end.
func TestNoFalseKnee(t *testing.T) {
	for _, tc := range []struct {
		name string
		law  func(float64) float64
	}{
		{"perfect", func(b float64) float64 { return 200 * b }},
		{"a power law", func(b float64) float64 { return 200 * math.Pow(b, 0.7) }},
		{"1 % a request", func(b float64) float64 { return 200 * b / (1 + 0.01*(b-1)) }},
		{"5 % a request", func(b float64) float64 { return 200 * b / (1 + 0.05*(b-1)) }},
		{"a mild bend at 8", func(b float64) float64 { return 200 * min(b, 8) * math.Pow(max(b, 8)/8, 0.7) }},
		{"20 % a request", func(b float64) float64 { return 200 * b / (1 + 0.2*(b-1)) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, spread := range []float64{0, 0.01, 0.03} {
				found := 0
				for seed := range uint64(100) {
					s := newSample(seed)
					for r := range 8 {
						s.sweep(r+1, sixBatches, spread, tc.law)
					}
					if fitKnee(newView(s.run).batches("tok/s")).Found {
						found++
					}
				}
				assert.LessOrEqual(t, found, 1, "false knees of 100 at a spread of %g", spread)
			}
		})
	}
}

func TestKneeNeedsEnough(t *testing.T) {
	fit := func(repetitions int, batches []int, spread float64) *Knee {
		s := newSample(1)
		for r := range repetitions {
			s.sweep(r+1, batches, spread, capped(4))
		}
		return fitKnee(newView(s.run).batches("tok/s"))
	}
	assert.Nil(t, fit(0, nil, 0))
	assert.Nil(t, fit(8, []int{1, 4}, 0.01), "two batches")
	assert.True(t, fit(8, []int{1, 4, 16}, 0.01).Found, "three")
	assert.False(t, fit(1, []int{1, 4, 16}, 0.01).Found, "three, once: a hinge goes through any three")
	one := fit(1, sixBatches, 0.01)
	assert.True(t, one.Found)
	assert.Nil(t, one.Batch.Low, "one repetition has no interval")
	assert.Equal(t, 1, one.Batch.N)
	none := fit(8, []int{1, 2, 4}, 0.01)
	assert.False(t, none.Found)
	assert.Equal(t, 4.0, none.Batch.Value, "the largest batch")
	assert.Nil(t, none.Batch.Low)
}

// A repetition that lacks a batch takes part in the decision, not in the estimates.
func TestKneeWithVoidRows(t *testing.T) {
	s := newSample(3)
	for r := range 8 {
		s.sweep(r+1, sixBatches, 0.01, capped(8))
	}
	bad := &s.run.Rows[3].Measured
	bad.Values[0].Value, bad.Void = 1e9, []string{"1 failed"}
	sum := Of(s.run)
	require.True(t, sum.Knee.Found)
	assert.Equal(t, 7, sum.Knee.Batch.N)
	assert.InDelta(t, 8, sum.Knee.Batch.Value, 1)
	assert.Contains(t, answer(t, sum, "scaling").Evidence, "left out as void: Throughput/batch=8, repetition 1: 1 failed")
}

func TestGradualLoss(t *testing.T) {
	s := newSample(4)
	for r := range 8 {
		s.sweep(r+1, sixBatches, 0.005, func(b float64) float64 { return 200 * b / (1 + 0.02*(b-1)) })
	}
	v := newView(s.run)
	each, ok := v.lossEach(v.batches("tok/s"))
	require.True(t, ok)
	assert.InDelta(t, 2, each.Value, 0.1)
	assert.True(t, each.holds(2))
}
