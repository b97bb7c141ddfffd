package compare

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHolm(t *testing.T) {
	// By hand: 0.01 x 4, 0.013 x 3, then 0.03 x 2 is above 0.05, and 0.04 stands with it.
	steps := holm([]float64{0.04, 0.01, 0.03, 0.013}, 0.05)
	var rejected []bool
	var p, levels []float64
	for _, s := range steps {
		rejected, p, levels = append(rejected, s.rejected), append(p, s.p), append(levels, s.level)
	}
	assert.Equal(t, []bool{false, true, false, true}, rejected)
	assert.InDeltaSlice(t, []float64{0.06, 0.04, 0.06, 0.039 + 0.001}, p, 1e-12)
	assert.InDeltaSlice(t, []float64{0.025, 0.0125, 0.025, 0.05 / 3}, levels, 1e-12)
	assert.Empty(t, holm(nil, 0.05))
	assert.InDelta(t, 1, holm([]float64{0.9, 0.8}, 0.05)[0].p, 0, "no p is above 1")
}

// TestIntervalsDecide: an interval lies on one side of its bound exactly if
// that is the answer, and p says the same.
func TestIntervalsDecide(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	answers := map[string]int{}
	for range 50 {
		var tests []test
		for i := range 20 {
			shift := float64(i-10) / 100
			tests = append(tests, test{changeOf(draw(r, normal, 8, 0, 0.02), draw(r, normal, 6, shift, 0.03)), math.Log(0.97)})
		}
		for i, o := range decide(tests, 0.05) {
			bound := tests[i].bound
			require.Less(t, o.low, tests[i].log)
			require.Greater(t, o.high, tests[i].log)
			require.Equal(t, o.below, o.high < bound)
			require.Equal(t, o.above, o.low > bound)
			require.Equal(t, o.below || o.above, o.p <= 0.05)
			switch {
			case o.below:
				answers["below"]++
			case o.above:
				answers["above"]++
			default:
				answers["neither"]++
			}
		}
	}
	for _, a := range []string{"below", "above", "neither"} {
		assert.Greater(t, answers[a], 50, a)
	}
}

func TestChangeOf(t *testing.T) {
	// Welch's classic: means 1 and 3, variances 1 and 4, 4 and 4 values.
	c := combine(2, 1, 4, 4, 4)
	assert.InDelta(t, math.Sqrt(1.25), c.se, 1e-12)
	assert.InDelta(t, 1.25*1.25/(0.0625/3+1.0/3), c.df, 1e-12)
	assert.InDelta(t, math.Sqrt(2.5), c.spread, 1e-12)
	// Of a small side that is quiet by chance the pooled error is the larger.
	assert.Greater(t, combine(0, 4, 0.01, 20, 5).se, math.Sqrt(4.0/20+0.01/5))
	// Equal values have an interval all the same.
	still := changeOf([]float64{1, 1, 1, 1, 1}, []float64{1, 1, 1, 1, 1})
	assert.Zero(t, still.log)
	assert.Positive(t, still.reach(0.025))
	assert.InDelta(t, 0.5, still.below(0), 1e-12)
}

// TestMeanChangeKnowsRounds: what disturbs a whole round shows in the spread
// of the mean, and what disturbs a benchmark alone averages out.
func TestMeanChangeKnowsRounds(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	side := func(together, alone float64) (all []series) {
		var round [40]float64
		for i := range round {
			round[i] = together * r.NormFloat64()
		}
		for range 16 {
			s := series{}
			for i := range round {
				s[i] = round[i] + alone*r.NormFloat64()
			}
			all = append(all, s)
		}
		return all
	}
	c, n1, n2 := meanChange(side(0.03, 0), side(0.03, 0))
	assert.Equal(t, []int{40, 40}, []int{n1, n2})
	assert.InEpsilon(t, 0.03, c.spread, 0.4)
	c, _, _ = meanChange(side(0, 0.04), side(0, 0.04))
	assert.InEpsilon(t, 0.04/4, c.spread, 0.4)

	// Complete rounds: the same as comparing the rounds' means.
	old, new := side(0.01, 0.01), side(0.01, 0.01)
	means := func(all []series) (x []float64) {
		for i := range 40 {
			var sum float64
			for _, s := range all {
				sum += s[i]
			}
			x = append(x, sum/float64(len(all)))
		}
		return x
	}
	c, _, _ = meanChange(old, new)
	want := changeOf(means(old), means(new))
	assert.InDelta(t, want.log, c.log, 1e-12)
	assert.InDelta(t, want.se, c.se, 1e-12)
	assert.InDelta(t, want.df, c.df, 1e-9)

	// A benchmark that lacks a repetition does not pull the mean towards its level.
	delete(new[0], 3)
	for i := range new[0] {
		new[0][i] += 5
		old[0][i] += 5
	}
	delete(old[0], 3)
	c, _, _ = meanChange(old, new)
	assert.InDelta(t, 0, c.log, 0.03)
	assert.Less(t, c.se, 0.02)
}

func TestNeeded(t *testing.T) {
	distance := math.Log(0.97 / 0.95)
	for spread, want := range map[float64]int{0.01: 6, 0.03: 45, 0.1: 486, 0.2: 1001, 1e-6: leastRepetitions} {
		assert.Equal(t, want, Needed(distance, spread, 0.025), "spread %v", spread)
		assert.Equal(t, want, Needed(-distance, spread, 0.025), "either way")
	}
	assert.Equal(t, 1001, Needed(0, 0.01, 0.025), "on the gate's edge")
	assert.Greater(t, Needed(distance, 0.03, 0.025/72), Needed(distance, 0.03, 0.025))
	assert.Equal(t, leastRepetitions, Needed(5, 1e-4, 1e-5), "far beyond doubt")
}
