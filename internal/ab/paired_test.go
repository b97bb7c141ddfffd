package ab

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/perf/benchmath"
)

// simulated returns legs in the order of turns, whose tok/s are 100 times what
// speed says of the side and of the time from 0 to 1.
func simulated(turns []turn, speed func(side int, at float64) float64) (both [2]legs) {
	for i, t := range turns {
		v := 100 * speed(t.side, float64(i)/float64(len(turns)-1))
		o := &output{better: []direction{{"tok/s", "higher"}}, results: []result{{name: "X", values: []value{{"tok/s", v}}}}}
		both[t.side] = append(both[t.side], leg{turn: t, output: o})
	}
	return both
}

// p is that of benchstat, for the tok/s of both sides.
func p(both [2]legs) float64 {
	samples := [2]*benchmath.Sample{}
	for side, legs := range both {
		var values []float64
		for _, l := range legs {
			v, _ := l.value("X", "tok/s")
			values = append(values, v)
		}
		samples[side] = benchmath.NewSample(values, &benchmath.DefaultThresholds)
	}
	return benchmath.AssumeNothing.Compare(samples[0], samples[1]).P
}

// sequential is all of A, then all of B, as two runs one after the other.
func sequential(blocks int) (out []turn) {
	for i := range 4 * blocks {
		out = append(out, turn{side: i / (2 * blocks), leg: i + 1, block: i%(2*blocks)/2 + 1})
	}
	return out
}

// TestDriftSimulated compares a server with itself over 500 seeds. Each leg
// has a spread of 1 %. Measured one after the other, drift passes for a
// difference; in turns it does not.
func TestDriftSimulated(t *testing.T) {
	const seeds, blocks, spread = 500, 4, 0.01
	for _, c := range []struct {
		name       string
		slower     func(at float64) float64
		sequential float64 // least share of false differences, one after the other
	}{
		{"none", func(float64) float64 { return 0 }, 0},
		{"10 % along a line", func(at float64) float64 { return 0.1 * at }, 0.99},
		{"10 % as of warming up", func(at float64) float64 { return 0.1 * (1 - math.Exp(-3*at)) }, 0.99},
	} {
		t.Run(c.name, func(t *testing.T) {
			var falsely struct{ sequential, turns, paired float64 }
			var change float64
			for seed := range seeds {
				noise := rand.New(rand.NewPCG(uint64(seed), 5))
				speed := func(_ int, at float64) float64 { return math.Exp(spread*noise.NormFloat64()) / (1 + c.slower(at)) }
				one := simulated(sequential(blocks), speed)
				turns := simulated(order(blocks), speed)
				change += (changes(one)[0].Ratio - 1) / seeds
				falsely.sequential += share(p(one) < 0.05, seeds)
				falsely.turns += share(p(turns) < 0.05, seeds)
				falsely.paired += share(changes(turns)[0].Decided(), seeds)
			}
			t.Logf("drift: %s; %d legs; false differences of %d runs: one after the other %.1f %% (mean change %+.1f %%), in turns %.1f %%, in turns and paired %.1f %%",
				c.name, 4*blocks, seeds, 100*falsely.sequential, 100*change, 100*falsely.turns, 100*falsely.paired)
			assert.GreaterOrEqual(t, falsely.sequential, c.sequential)
			assert.Less(t, falsely.turns, 0.08)
			assert.Less(t, falsely.paired, 0.08)
		})
	}
}

// TestPairedPower lets B be 2 % slower on a server that drifts by 10 %: the
// samples overlap, the pairs do not.
func TestPairedPower(t *testing.T) {
	const seeds, blocks, spread = 500, 4, 0.005
	var unpaired, paired, covered float64
	for seed := range seeds {
		noise := rand.New(rand.NewPCG(uint64(seed), 6))
		both := simulated(order(blocks), func(side int, at float64) float64 {
			return math.Exp(spread*noise.NormFloat64()) / (1 + 0.1*at) / (1 + 0.02*float64(side))
		})
		c := changes(both)[0]
		unpaired += share(p(both) < 0.05, seeds)
		paired += share(c.Decided() && c.word() == "worse", seeds)
		covered += share(c.Lo < 1/1.02 && 1/1.02 < c.Hi, seeds)
	}
	t.Logf("2 %% slower, found by benchstat's test in %.0f %%, in pairs in %.0f %%; the interval holds the truth in %.1f %%", 100*unpaired, 100*paired, 100*covered)
	assert.Greater(t, paired, 0.9)
	assert.Less(t, unpaired, paired/2)
	assert.InDelta(t, 0.95, covered, 0.03)
}

func share(yes bool, of float64) float64 {
	if yes {
		return 1 / of
	}
	return 0
}

// TestChanges has what legs can lack.
func TestChanges(t *testing.T) {
	run := func(text string) *output {
		o := parse("Unit tok/s better=higher\nUnit J/tok better=lower\n" + text)
		require.NoError(t, o.fault())
		return o
	}
	row := func(name, values string) string { return "Benchmark" + name + " 1 100 ns/op " + values + "\n" }
	var both [2]legs
	for i, turn := range order(2) {
		text := row("X", "50 tok/s 2 J/tok 7 gpu-W") + row("Y", "10 tok/s") + row("Z", "0 tok/s")
		if turn.side == 1 {
			text = row("X", "55 tok/s 1 J/tok 7 gpu-W") + row("Y", "10 tok/s") + row("Z", "0 tok/s")
			if i == 7 {
				text = row("X", "55 tok/s") + row("Y", "10 tok/s") + row("W", "3 tok/s")
			}
		}
		both[turn.side] = append(both[turn.side], leg{turn: turn, output: run(text)})
	}
	got := changes(both)
	require.Len(t, got, 2, "who says which gpu-W is better?")
	assert.Equal(t, Change{Metric: "J/tok", Better: "lower", Of: 1}, got[1], "it is not in every leg")
	assert.False(t, got[1].Decided())
	c := got[0]
	assert.Equal(t, "tok/s", c.Metric)
	assert.Equal(t, [2]int{2, 4}, [2]int{c.Benchmarks, c.Of}, "Z is zero, W is in one leg")
	assert.InDelta(t, math.Sqrt(1.1), c.Ratio, 1e-12)
	assert.InDelta(t, c.Ratio, c.Lo, 1e-12)
	assert.InDelta(t, c.Ratio, c.Hi, 1e-12)
	assert.Equal(t, "better", c.word())
	assert.True(t, strings.HasSuffix(c.interval(), "] over 2 of 4"), c.interval())
	var said strings.Builder
	require.NoError(t, (&Outcome{Changes: got}).Print(&said))
	assert.Contains(t, said.String(), "\n  J/tok                       in no benchmark does every leg have it\n")
}

func TestPercent(t *testing.T) {
	for ratio, want := range map[float64]string{
		1: "+0.00 %", 1.0012: "+0.12 %", 0.999: "-0.10 %", 1.099949: "+9.99 %", 1.09996: "+10.0 %", 0.544: "-45.6 %", 1.9999: "+100 %", 10.3763: "+938 %", 657.61: "x 658",
	} {
		assert.Equal(t, want, percent(ratio))
	}
}
