package load

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"
)

func schedule(t testing.TB, a Arrivals) Schedule {
	t.Helper()
	s, err := a.Schedule()
	require.NoError(t, err)
	require.True(t, slices.IsSorted(s))
	return s
}

// gaps are the times between arrivals, in seconds.
func gaps(s Schedule) []float64 {
	out := make([]float64, len(s)-1)
	for i := range out {
		out[i] = (s[i+1] - s[i]).Seconds()
	}
	return out
}

// counts are the arrivals in each whole window.
func counts(s Schedule, window time.Duration) []float64 {
	out := make([]float64, int(s[len(s)-1]/window)+1)
	for _, at := range s {
		out[at/window]++
	}
	return out[:len(out)-1]
}

// dispersion is the variance over the mean, 1 for the counts of a Poisson process.
func dispersion(x []float64) float64 {
	mean, variance := stat.MeanVariance(x, nil)
	return variance / mean
}

func TestArrivalsHaveTheirStatistics(t *testing.T) {
	const rate, n = 100.0, 100_000
	for _, burstiness := range []float64{0.1, 0.25, 0.5, 1, 4, 16, math.Inf(1)} {
		for seed := range uint64(4) {
			t.Run(fmt.Sprintf("burstiness=%v/seed=%d", burstiness, seed), func(t *testing.T) {
				s := schedule(t, Arrivals{Phases: []Phase{{rate, rate, n / rate * time.Second}}, Burstiness: burstiness, Seed: seed})
				assert.Len(t, s, n)
				assert.InEpsilon(t, rate, float64(n)/s[n-1].Seconds(), 0.005, "rate")

				g := gaps(s)
				if math.IsInf(burstiness, 1) {
					assert.LessOrEqual(t, slices.Max(g)-slices.Min(g), 2e-9, "even, but for rounding")
					return
				}
				mean, sd := stat.MeanStdDev(g, nil)
				assert.InEpsilon(t, 1/burstiness, sd*sd/mean/mean, 0.05, "index of dispersion of the gaps: 1/shape")
				assert.InDelta(t, 0, stat.Correlation(g[1:], g[:n-2], nil), 0.02, "gaps are independent")
				if burstiness == 1 {
					assert.InDelta(t, 1, dispersion(counts(s, 100*time.Millisecond)), 0.05, "index of dispersion of the counts")
				}
			})
		}
	}
}

func TestArrivalsFollowTheirPhases(t *testing.T) {
	even := Arrivals{Burstiness: math.Inf(1)}
	even.Phases = []Phase{{2, 2, time.Second}, {0, 0, time.Second}, {4, 4, 500 * time.Millisecond}}
	assert.Equal(t, Schedule{250e6, 750e6, 2125e6, 2375e6}, schedule(t, even))

	// A ramp from 0 to 8 in 2 s has seen 2t² arrivals by t.
	even.Phases = []Phase{{0, 8, 2 * time.Second}}
	up := schedule(t, even)
	require.Len(t, up, 8)
	for i, at := range up {
		assert.InDelta(t, math.Sqrt((float64(i)+0.5)/2), at.Seconds(), 1e-9)
	}
	even.Phases = []Phase{{8, 0, 2 * time.Second}}
	down := schedule(t, even)
	for i, at := range down {
		assert.InDelta(t, 2, (at + up[7-i]).Seconds(), 2e-9, "the same, backwards")
	}
}

func TestArrivalsOfARandomRamp(t *testing.T) {
	s := schedule(t, Arrivals{Phases: []Phase{{0, 2000, 50 * time.Second}, {1000, 1000, 50 * time.Second}}, Seed: 3})
	for i, n := range counts(s, 10*time.Second)[:9] {
		want := 10_000.0
		if i < 5 {
			want = 2000 * float64(2*i+1)
		}
		assert.InDelta(t, want, n, 5*math.Sqrt(want), "in %d s to %d s", 10*i, 10*i+10)
	}
}

// TestArrivalsAreFixedBySeed holds the schedules to sums that any platform and any later version has to give.
func TestArrivalsAreFixedBySeed(t *testing.T) {
	sum := func(a Arrivals) string {
		a.Phases = []Phase{{5, 50, 10 * time.Second}, {50, 50, 100 * time.Second}}
		h := fnv.New64()
		for _, at := range schedule(t, a) {
			fmt.Fprintln(h, int64(at))
		}
		return fmt.Sprintf("%x", h.Sum64())
	}
	for _, tc := range []struct {
		a    Arrivals
		want string
	}{
		{Arrivals{Seed: 1}, "77e725f77709e7aa"},
		{Arrivals{Seed: 1, Burstiness: 1}, "77e725f77709e7aa"},
		{Arrivals{Seed: 2}, "31e3a1c654bcd933"},
		{Arrivals{Seed: 1, Burstiness: 0.3}, "5333e8de51b1e1c6"},
		{Arrivals{Seed: 1, Burstiness: math.Inf(1)}, "bebcb36484fadcde"},
	} {
		assert.Equal(t, tc.want, sum(tc.a), "seed %d, burstiness %v", tc.a.Seed, tc.a.Burstiness)
	}
}

func TestArrivalsAsTimes(t *testing.T) {
	assert.Equal(t, Schedule{0, 5, 5, 9}, schedule(t, Arrivals{Times: []time.Duration{0, 5, 5, 9}}))
}

func TestArrivalsRefused(t *testing.T) {
	second := []Phase{{1, 1, time.Second}}
	for _, tc := range []struct {
		a    Arrivals
		want string
	}{
		{Arrivals{}, "the phases ask for no arrival: lengthen them, or raise the rate"},
		{Arrivals{Phases: []Phase{{0, 0, time.Hour}}}, "the phases ask for no arrival: lengthen them, or raise the rate"},
		{Arrivals{Phases: []Phase{{1, -1, time.Second}}}, "phase 1 has a rate of -1 requests a second: from 0 to 10000000 can be asked for"},
		{Arrivals{Phases: []Phase{{math.NaN(), 1, time.Second}}}, "phase 1 has a rate of NaN requests a second: from 0 to 10000000 can be asked for"},
		{Arrivals{Phases: []Phase{{1, 1, time.Second}, {1, 1, 0}}}, "phase 2 lasts 0s: a phase takes time, and all of them at most 8784h0m0s"},
		{Arrivals{Phases: []Phase{{1, 1, math.MaxInt64}}}, "phase 1 lasts 2562047h47m16.854775807s: a phase takes time, and all of them at most 8784h0m0s"},
		{Arrivals{Phases: []Phase{{2000, 2000, 24 * time.Hour}}}, "the phases ask for 172800000 arrivals, and 10000000 is the most: shorten them, or lower the rate"},
		{Arrivals{Phases: second, Burstiness: -1}, "a burstiness of -1 is not between 0.01 and 1e+08: 1 is Poisson, inf is even"},
		{Arrivals{Phases: second, Burstiness: math.NaN()}, "a burstiness of NaN is not between 0.01 and 1e+08: 1 is Poisson, inf is even"},
		{Arrivals{Phases: second, Times: []time.Duration{1}}, "the schedule has times and phases: give either"},
		{Arrivals{Times: []time.Duration{1}, Burstiness: 1}, "the schedule is a list of times, so no burstiness applies: leave it out"},
		{Arrivals{Times: []time.Duration{2, 1}}, "arrival 2 is at 1ns: times are in order, from 0 to 8784h0m0s"},
	} {
		_, err := tc.a.Schedule()
		assert.EqualError(t, err, tc.want)
	}
}
