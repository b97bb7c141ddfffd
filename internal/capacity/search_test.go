package capacity

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// step is a server that does all well up to a load and nothing beyond it.
func step(at float64, n int) func(context.Context, float64) (Window, error) {
	return func(_ context.Context, load float64) (Window, error) {
		if load <= at {
			return Window{Met: n, Requests: n}, nil
		}
		return Window{Requests: n}, nil
	}
}

func TestAnswers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		search Search
		want   Answer
		within bool // the interval is about the capacity; Low and High are its least bounds
		probes int  // at most
	}{
		{"nowhere", Search{Measure: step(0.5, 200), From: 1, Max: 100}, Answer{High: 1, Decided: true, Why: "the objectives do not hold even at the lowest load, 1"}, false, 12},
		{"everywhere", Search{Measure: step(1e9, 200), From: 1, Max: 100}, Answer{Low: 100, High: math.Inf(1), Estimate: 100, Decided: true, Why: "the objectives hold up to the highest load, 100"}, false, 24},
		{"one load", Search{Measure: step(1e9, 200), From: 7, Max: 7, Whole: true}, Answer{Low: 7, High: math.Inf(1), Estimate: 7, Decided: true, Why: "the objectives hold up to the highest load, 7"}, false, 14},
		{"a cliff", Search{Measure: step(33, 200), From: 0.1, Max: 1000}, Answer{Low: 30, High: 36, Decided: true, Why: "the 95 % interval is as narrow as asked"}, true, 30},
		{"streams", Search{Measure: step(7, 200), From: 1, Max: 256, Whole: true}, Answer{Low: 7, High: 8, Estimate: 7, Decided: true, Why: "no whole number is left between what holds and what does not"}, false, 30},
		{"one stream", Search{Measure: step(1, 200), From: 1, Max: 256, Whole: true}, Answer{Low: 1, High: 2, Estimate: 1, Decided: true, Why: "no whole number is left between what holds and what does not"}, false, 30},
		{"used up", Search{Measure: step(33, 200), From: 1, Max: 1000, Probes: 8}, Answer{Low: 4, High: 100, Why: "8 probes do not decide"}, true, 8},
		{"one probe", Search{Measure: step(33, 200), From: 1, Max: 1000, Probes: 1}, Answer{Low: 0, High: math.Inf(1), Why: "one probe does not decide"}, true, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.search.Run(t.Context())
			require.NoError(t, err)
			t.Log(got.Low, got.Estimate, got.High, len(got.Probes), got.Why)
			assert.LessOrEqual(t, len(got.Probes), tt.probes)
			for _, p := range got.Probes {
				assert.True(t, tt.search.From <= p.Load && p.Load <= tt.search.Max, p.Load)
			}
			if tt.within {
				assert.GreaterOrEqual(t, got.Low, tt.want.Low)
				assert.LessOrEqual(t, got.High, tt.want.High)
				assert.Equal(t, tt.want.Decided, got.Decided)
				assert.Equal(t, tt.want.Why, got.Why)
				return
			}
			got.Probes = nil
			assert.Equal(t, tt.want, got)
		})
	}
}

// The load never more than doubles, whatever the range: a server must not be buried to find out that it can be.
func TestGrowth(t *testing.T) {
	a, err := Search{Measure: step(33, 200), From: 0.1, Max: 1e4}.Run(t.Context())
	require.NoError(t, err)
	highest := 0.1
	for _, p := range a.Probes {
		assert.LessOrEqual(t, p.Load, 2*highest)
		highest = max(highest, p.Load)
	}
	assert.Less(t, highest, 70.0)
}

// A search that begins above the capacity comes down to it.
func TestBegin(t *testing.T) {
	a, err := Search{Measure: step(3, 200), From: 0.1, Max: 1e3, Begin: 19.97}.Run(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 20.0, a.Probes[0].Load, "a load that can be named")
	assert.True(t, a.Low <= 3 && 3 <= a.High && a.High < 4, "%v", a)
}

// An overloaded window may hold none but good requests, since its queue was short when it began.
func TestOverloaded(t *testing.T) {
	measure := func(_ context.Context, load float64) (Window, error) {
		return Window{Met: 100, Requests: 100, Overloaded: load > 10}, nil
	}
	a, err := Search{Measure: measure, From: 1, Max: 100}.Run(t.Context())
	require.NoError(t, err)
	assert.InDelta(t, 10, a.Estimate, 1)
	assert.True(t, a.Low < 10.1 && a.High > 9.9, "%v", a)
	assert.Equal(t, 100, a.Probes[len(a.Probes)-1].Met, "the probe is as it was measured")
}

func TestErrors(t *testing.T) {
	gone := errors.New("the server is gone")
	n := 0
	measure := func(context.Context, float64) (Window, error) {
		if n++; n == 3 {
			return Window{}, gone
		}
		return Window{Met: 50, Requests: 50}, nil
	}
	a, err := Search{Measure: measure, From: 1, Max: 100}.Run(t.Context())
	require.ErrorIs(t, err, gone)
	assert.EqualError(t, err, "probing load 4: the server is gone")
	assert.Len(t, a.Probes, 2)

	for want, s := range map[string]Search{
		"the target share is 95 and the confidence 0.95: name shares between 0 and 1":                   {From: 1, Max: 2, Target: 95},
		"loads go from 0 to 2: name two above 0, in order, and at most a factor of a million apart":     {Max: 2},
		"loads go from 3 to 2: name two above 0, in order, and at most a factor of a million apart":     {From: 3, Max: 2},
		"loads go from 1 to 1e+07: name two above 0, in order, and at most a factor of a million apart": {From: 1, Max: 1e7},
		"loads go from 2 to 1: name two above 0, in order, and at most a factor of a million apart":     {From: 1.2, Max: 1.8, Whole: true},
		"the search begins at 3: name a load from 1 to 2":                                               {From: 1, Max: 2, Begin: 3},
		"the tolerance is 2: name one from 0.005 to 1":                                                  {From: 1, Max: 2, Tolerance: 2},
		"the most probes are -1: name 1 or more":                                                        {From: 1, Max: 2, Probes: -1},
		"probing load 1: 0 of 0 requests met their objectives, which is no window: make it longer":      {From: 1, Max: 2, Measure: step(1, 0)},
	} {
		_, err := s.Run(t.Context())
		assert.EqualError(t, err, want)
	}
}
