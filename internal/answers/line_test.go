package answers

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	somePrompts = []int{10, 50, 200, 1000}
	someOutputs = []int{50, 100, 200}
)

// The costs of tokens come back, and their intervals hold the truth as often as they promise.
func TestLinesAndTheirIntervals(t *testing.T) {
	const (
		seeds      = 300
		a, b, c, d = 12e6, 18e3, 9e6, 4.7e6
	)
	truth := []float64{a, b, c + a + b*315, d} // 315 is the mean prompt
	covered, straight := make([]int, len(truth)), 0
	for seed := range uint64(seeds) {
		s := newSample(seed)
		for r := range 8 {
			s.lengths(r+1, somePrompts, someOutputs, 0.02,
				func(p, _ float64) float64 { return a + b*p },
				func(p, o float64) float64 { return c + a + b*p + d*o })
		}
		sum := Of(s.run)
		got := []Estimate{sum.Prefill.A, sum.Prefill.B, sum.Decode.A, sum.Decode.B}
		for i, e := range got {
			if i != 2 { // a small intercept under large times
				require.InEpsilon(t, truth[i], e.Value, 0.05, "parameter %d, seed %d", i, seed)
			}
			if e.holds(truth[i]) {
				covered[i]++
			}
		}
		if sum.Prefill.Straight {
			straight++
		}
	}
	t.Logf("of %d runs the intervals hold a, b, c, d in %v; called straight: %d", seeds, covered, straight)
	for i, n := range covered {
		assert.GreaterOrEqual(t, n, seeds*9/10, "parameter %d", i)
	}
	assert.GreaterOrEqual(t, straight, seeds*9/10)
}

func TestBends(t *testing.T) {
	flatThenRising := func(p, _ float64) float64 { return 12e6 + 20e3*max(0, p-200) }
	jump := func(p, _ float64) float64 {
		if p > 16 {
			return 24e6
		}
		return 12e6
	}
	for _, tc := range []struct {
		name     string
		law      func(p, o float64) float64
		straight bool
		text     []string
	}{
		{"flat, then rising", flatThenRising, false, []string{"no straight line", "and still", "costs 20.", "from 200 to 1000 tokens"}},
		{"a jump", jump, false, []string{"from 10 to 50 tokens, then nothing that stands out"}},
		{"a line", func(p, _ float64) float64 { return 10e6 + 50e3*p }, true, []string{"A prompt token costs", "straight line", "from 500 to 1000 tokens it is x1.7"}},
		{"through the origin", func(p, _ float64) float64 { return 50e3 * p }, true, []string{"takes twice the time"}},
		{"none", func(_, _ float64) float64 { return 10e6 }, true, []string{"makes no difference that stands out"}},
		{"quadratic", func(p, _ float64) float64 { return 10e3 * p * p }, false, []string{"more than twice the time"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newSample(5)
			for r := range 8 {
				s.lengths(r+1, somePrompts, someOutputs, 0.01, tc.law, func(p, o float64) float64 { return tc.law(p, o) + 5e6*o })
			}
			sum := Of(s.run)
			assert.Equal(t, tc.straight, sum.Prefill.Straight)
			for _, part := range tc.text {
				assert.Contains(t, answer(t, sum, "prompt").Text, part)
			}
		})
	}
}

// A longer context that makes tokens dearer is told from one that does not.
func TestContextMakesTokensDearer(t *testing.T) {
	for _, tc := range []struct {
		dearer float64 // at 1000 tokens
		text   string
	}{
		{0.05, `A longer context makes it dearer: (4\.9|5\.0|5\.1)`},
		{0, `A longer context makes no difference that stands out`},
	} {
		s := newSample(6)
		for r := range 8 {
			s.lengths(r+1, somePrompts, someOutputs, 0.001, func(p, _ float64) float64 { return 1e7 },
				func(p, o float64) float64 { return 1e7 + 5e6*o*(1+tc.dearer*(p-10)/990) })
		}
		assert.Regexp(t, tc.text, answer(t, Of(s.run), "output").Text)
	}
}

// A cell without a valid row must not pull the mean cost towards the other prompts.
func TestMissingCellMovesNoSlope(t *testing.T) {
	s := newSample(7)
	for r := range 8 {
		s.lengths(r+1, somePrompts, someOutputs, 0, func(p, _ float64) float64 { return 1e6 + 1e5*p }, func(p, o float64) float64 { return 1e6 + 1e5*p + 5e6*o })
	}
	for i := range s.run.Rows {
		if m := &s.run.Rows[i].Measured; m.PromptTokens == 1000 && m.OutputTokens == 200 {
			m.Void = []string{"1 failed"}
		}
	}
	assert.InEpsilon(t, 5e6, Of(s.run).Decode.B.Value, 1e-6)
}
