package bench

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/perf/benchmath"

	"vllmbench/internal/ab"
	"vllmbench/internal/vllmsim"
)

// driftLegs is how often a drifting server is measured in all: half of them as A, half as B.
const driftLegs = 8

// driftArgs make a leg of less than a second.
var driftArgs = []string{"-bench=Latency", "-benchtime=3x", "-warmup=0", "-prompt=10", "-output=16", "-gpu=none", "-limits=turnaround=1e6,cpu=1e6"}

// TestDrift compares a server with itself while it grows slower by 20 %. One
// after the other, that passes for a difference; in turns it does not.
func TestDrift(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 15 s")
	}
	path, err := binary()
	require.NoError(t, err)
	inTurns := func(t *testing.T, url string, blocks int) *ab.Outcome {
		o, err := ab.Run(t.Context(), ab.Config{
			A: ab.Side{URL: url}, B: ab.Side{URL: url}, Dir: t.TempDir(), Blocks: blocks, Args: driftArgs,
			Program: ab.Program{Path: path, Dir: "."}, Progress: t.Output(),
		})
		require.NoError(t, err)
		return o
	}
	start := time.Now()
	o := inTurns(t, simulate(t, vllmsim.Config{}), 1)
	over := time.Since(start) * driftLegs / 4 // the machine's pace
	steady := readRates(t, o.A)
	t.Logf("8 legs take %v; without drift %.5g tok/s", over, steady)

	t.Run("one after the other", func(t *testing.T) {
		t.Parallel()
		url := simulate(t, vllmsim.Config{Drift: 0.2, DriftOver: over})
		var rates []float64
		for range driftLegs {
			args := strings.ReplaceAll(strings.Join(driftArgs, " "), "-bench", "-test.bench")
			c := runChild(t, append(strings.Fields(args), "-url="+url)...)
			require.Zero(t, c.status(), c.all())
			rate, ok := c.results()[0].Value("tok/s")
			require.True(t, ok)
			rates = append(rates, rate)
		}
		p, change := held(rates[:driftLegs/2], rates[driftLegs/2:])
		t.Logf("one after the other: %.5g tok/s: change %+.1f %%, p=%.3f", rates, 100*change, p)
		assert.Less(t, p, 0.05, "drift passes for a difference")
		assert.InDelta(t, -0.09, change, 0.04)
	})
	t.Run("in turns", func(t *testing.T) {
		t.Parallel()
		o := inTurns(t, simulate(t, vllmsim.Config{Drift: 0.2, DriftOver: over}), driftLegs/4)
		a, b := readRates(t, o.A), readRates(t, o.B)
		p, _ := held(a, b)
		require.Equal(t, "tok/s", o.Changes[0].Metric)
		change := o.Changes[0].Ratio - 1
		t.Logf("in turns: a %.5g, b %.5g tok/s: change %+.2f %%, p=%.3f", a, b, 100*change, p)
		assert.Greater(t, p, 0.05)
		assert.InDelta(t, 0, change, 0.02)
	})
}

// held compares two samples as benchstat does. change is that of the medians.
func held(a, b []float64) (p, change float64) {
	old := benchmath.NewSample(append([]float64(nil), a...), &benchmath.DefaultThresholds)
	now := benchmath.NewSample(append([]float64(nil), b...), &benchmath.DefaultThresholds)
	change = benchmath.AssumeNothing.Summary(now, 0.95).Center/benchmath.AssumeNothing.Summary(old, 0.95).Center - 1
	return benchmath.AssumeNothing.Compare(old, now).P, change
}

// readRates are the tok/s in a file of benchmark lines.
func readRates(t *testing.T, path string) (out []float64) {
	t.Helper()
	c := child{t: t}
	c.stdout.WriteString(files(t, filepath.Dir(path))[string(filepath.Separator)+filepath.Base(path)])
	for _, r := range c.results() {
		rate, ok := r.Value("tok/s")
		require.True(t, ok)
		out = append(out, rate)
	}
	return out
}
