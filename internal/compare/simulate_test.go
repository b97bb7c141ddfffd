package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/perf/benchmath"
)

const (
	seeds  = 1000
	family = 72 // 18 cells of 4 metrics
)

// A noise draws a value of standard deviation 1.
type noise func(*rand.Rand) float64

func normal(r *rand.Rand) float64 { return r.NormFloat64() }

// heavy is Student's t with 3 degrees of freedom: now and then far out, on either side.
func heavy(r *rand.Rand) float64 {
	x, y, z := r.NormFloat64(), r.NormFloat64(), r.NormFloat64()
	return r.NormFloat64() / math.Sqrt(x*x+y*y+z*z)
}

// skewed is exponential: most are quick, some are slow.
func skewed(r *rand.Rand) float64 { return r.ExpFloat64() }

// outliers are normal but for one in ten, which is far above.
func outliers(r *rand.Rand) float64 {
	if r.IntN(10) == 0 {
		return math.Abs(r.NormFloat64()) * 3
	}
	return r.NormFloat64() * 0.3
}

// modes is a server that is in one of two states, far apart.
func modes(r *rand.Rand) float64 { return 2*float64(r.IntN(2)) + 0.2*r.NormFloat64() }

// draw makes a sample of logarithms around mean.
func draw(r *rand.Rand, of noise, n int, mean, spread float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = mean + spread*of(r)
	}
	return x
}

// rate is the share of seeds for which happens says yes.
func rate(happens func(*rand.Rand) bool) float64 {
	n := 0
	for seed := range uint64(seeds) {
		if happens(rand.New(rand.NewPCG(seed, 5))) {
			n++
		}
	}
	return float64(n) / seeds
}

// fails says whether any of a family of unchanged comparisons fails a gate.
func fails(r *rand.Rand, of noise, n1, n2 int, spread, gate float64) bool {
	p := make([]float64, family)
	for i := range p {
		p[i] = changeOf(draw(r, of, n1, 0, spread), draw(r, of, n2, 0, spread)).below(math.Log1p(-gate))
	}
	for _, s := range holm(p, 0.025) {
		if s.rejected {
			return true
		}
	}
	return false
}

// TestFalseAlarms: when nothing changed, fewer than 5 % of runs have any FAIL
// among 72 comparisons. A gate of 0 % is the hardest: there, what did not
// change lies on its edge, as with a gate of 3 % a true change of 3 % would.
func TestFalseAlarms(t *testing.T) {
	cases := []struct {
		name   string
		of     noise
		n1, n2 int
		spread float64
		gate   float64
	}{
		{"normal, gate 3 %", normal, 6, 6, 0.01, 0.03},
		{"two modes, gate 3 %", modes, 6, 6, 0.01, 0.03},
		{"normal, gate 3 %, noisy", normal, 6, 6, 0.1, 0.03},
		{"normal, on the edge", normal, 6, 6, 0.03, 0},
		{"normal, on the edge, 5+5", normal, 5, 5, 0.03, 0},
		{"normal, on the edge, 20+6", normal, 20, 6, 0.03, 0},
		{"heavy tails, on the edge", heavy, 6, 6, 0.03, 0},
		{"skewed, on the edge", skewed, 6, 6, 0.03, 0},
		{"skewed, on the edge, 10+5", skewed, 10, 5, 0.03, 0},
		{"outliers, on the edge, 8+6", outliers, 8, 6, 0.03, 0},
		{"two modes, on the edge, 8+6", modes, 8, 6, 0.03, 0},
	}
	inParallel(len(cases), func(i int) {
		c := cases[i]
		share := rate(func(r *rand.Rand) bool { return fails(r, c.of, c.n1, c.n2, c.spread, c.gate) })
		t.Logf("%-32s any FAIL in %.1f %% of %d runs of %d comparisons", c.name, 100*share, seeds, family)
		assert.Less(t, share, 0.05, c.name)
	})
}

// TestFalseAlarmsLimit is where the rule's assumption ends, as docs/compare.md
// says: every benchmark in one of two states far apart, and on the gate's edge.
func TestFalseAlarmsLimit(t *testing.T) {
	for _, n := range []int{5, 10} {
		share := rate(func(r *rand.Rand) bool { return fails(r, modes, n, n, 0.03, 0) })
		t.Logf("two modes, on the edge, %d+%d: any FAIL in %.1f %% of %d runs", n, n, 100*share, seeds)
		assert.Less(t, share, 0.1)
	}
}

// inParallel runs f for 0 to n-1, as many at once as there are processors for.
func inParallel(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

// TestFalseAlarmsWithoutCorrection is what the correction is for.
func TestFalseAlarmsWithoutCorrection(t *testing.T) {
	thresholds := benchmath.DefaultThresholds
	share := rate(func(r *rand.Rand) bool {
		for range family {
			old := benchmath.NewSample(draw(r, normal, 7, 0, 0.03), &thresholds)
			new := benchmath.NewSample(draw(r, normal, 7, 0, 0.03), &thresholds)
			if c := benchmath.AssumeNothing.Compare(old, new); c.P < c.Alpha {
				return true
			}
		}
		return false
	})
	t.Logf("Mann-Whitney at 5 %% each, 7+7 repetitions: a false alarm in %.1f %% of %d runs of %d comparisons", 100*share, seeds, family)
	assert.Greater(t, share, 0.9)
}

// TestDetection: a slowdown of 5 % fails a gate of 3 % in 90 % of runs at the
// repetitions that Needed names for a spread that is known.
func TestDetection(t *testing.T) {
	slow, gate := math.Log(0.95), math.Log(0.97)
	cases := []struct {
		comparisons int
		spread      float64
		needed      int
	}{{1, 0.01, 6}, {1, 0.03, 45}, {1, 0.1, 486}, {family, 0.01, 14}, {family, 0.03, 94}}
	inParallel(len(cases), func(i int) {
		c := cases[i]
		level := 0.025 / float64(c.comparisons)
		n := Needed(slow-gate, c.spread, level)
		assert.Equal(t, c.needed, n)
		share := rate(func(r *rand.Rand) bool {
			return changeOf(draw(r, normal, n, 0, c.spread), draw(r, normal, n, slow, c.spread)).below(gate) <= level
		})
		t.Logf("%2d comparisons, spread %2.0f %%: %3d repetitions, FAIL in %.1f %% of %d runs", c.comparisons, 100*c.spread, n, 100*share, seeds)
		assert.InDelta(t, power, share, 0.025, "what Needed promises")
	})
}

// TestDetectionFromSeenSpread: in more than 90 % if the spread is what 6+6
// repetitions showed, as in a report.
func TestDetectionFromSeenSpread(t *testing.T) {
	slow, gate := math.Log(0.95), math.Log(0.97)
	for _, comparisons := range []int{1, family} {
		for _, spread := range []float64{0.01, 0.03} {
			level, sum := 0.025/float64(comparisons), 0
			share := rate(func(r *rand.Rand) bool {
				first := changeOf(draw(r, normal, 6, 0, spread), draw(r, normal, 6, slow, spread))
				n := Needed(slow-gate, first.cautious(), level)
				sum += n
				return changeOf(draw(r, normal, n, 0, spread), draw(r, normal, n, slow, spread)).below(gate) <= level
			})
			says := fmt.Sprintf("%2d comparisons, spread %.0f %% seen in 6+6: %d repetitions on average, FAIL in %.1f %% of %d runs", comparisons, 100*spread, sum/seeds, 100*share, seeds)
			t.Log(says)
			assert.Greater(t, share, 0.9, says)
		}
	}
}
