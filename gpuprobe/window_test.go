package gpuprobe

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	ms = time.Millisecond
	s1 = time.Second
)

var (
	rest = phase{lasts: 4 * s1, watts: 120}
	work = phase{lasts: 4 * s1, busy: 1, dram: 0.8, watts: 600}
)

func TestSteadyLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := run(t, newScript(1, work), s1, 2300*ms, 7800*ms)
		assert.InDelta(t, 1, u.Busy.N, 1e-9)
		assert.InDelta(t, 0.8, u.DRAM.N, 1e-9)
		assert.InDelta(t, 600*5.5, u.Energy.N, u.EnergyError.N)
		assert.InDelta(t, 60, u.EnergyError.N, 1e-6, "one step at a steady 600 W")
		assert.InDelta(t, 600, u.Power.N, 60/5.5)
		assert.Equal(t, known(7), u.Memory, "the most, at the end's mark")
		assert.False(t, u.Utilization.Known)
		assert.False(t, u.SM.Known)
		assert.Equal(t, 6, u.Samples, "3 s to 7 s, and the mark at the end")
		assert.Zero(t, u.Missing)
		assert.Empty(t, u.Trouble)
		assert.Empty(t, u.Gaps)
		assert.True(t, u.GapsKnown)
	})
}

// TestEnergyBound moves a window over a load that is switched on and off: the
// counter's energy must be true to its own bound, at any phase of the reads.
func TestEnergyBound(t *testing.T) {
	for _, cost := range []time.Duration{0, 8 * ms} {
		for from := 1010 * ms; from < 4*s1; from += 170 * ms {
			for _, length := range []time.Duration{700 * ms, 2 * s1, 5300 * ms} {
				synctest.Test(t, func(t *testing.T) {
					s := newScript(1, phase{lasts: 2350 * ms, watts: 120}, phase{lasts: 1620 * ms, watts: 600, busy: 1}, rest)
					s.cost = cost
					u := run(t, s, s1, from, from+length)
					truth := s.total(u.To, watts) - s.total(u.From, watts)
					require.True(t, u.Energy.Known)
					require.LessOrEqual(t, math.Abs(u.Energy.N-truth), u.EnergyError.N+1e-6, "%v from %v", length, from)
					require.Less(t, u.EnergyError.N, 60+2*120+1e-6, "a step, and a quarter of a second's 480 W at each end")
				})
			}
		}
	}
}

// TestMarkEndsInterpolation: with a mark at its start, a window's energy is wrong by a step alone.
func TestMarkEndsInterpolation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(1, rest, work)
		p := newProbe(s, State{Name: StateNVML})
		p.Start(s1)
		time.Sleep(4420 * ms)
		p.Mark()
		from := time.Now()
		time.Sleep(3200 * ms)
		u := p.Window(from, time.Now())
		assert.InDelta(t, 600*3.2, u.Energy.N, 60)
		assert.Less(t, u.EnergyError.N, 70.)
		require.NoError(t, p.Close())
	})
}

func TestIdleGaps(t *testing.T) {
	for shift := 0 * ms; shift < s1; shift += 90 * ms {
		synctest.Test(t, func(t *testing.T) {
			first := work
			first.lasts += shift
			u := run(t, newScript(1, first, rest, work, rest, work), s1, 500*ms, 20*s1+500*ms)
			require.Len(t, u.Gaps, 2)
			for i, g := range u.Gaps {
				at := shift + 4*s1 + time.Duration(i)*8*s1
				assert.InDelta(t, at.Seconds(), g.From.Sub(u.From).Seconds()+0.5, idleBelow, "solid work beside the gap: its ends are right to idleBelow")
				assert.InDelta(t, 4, g.To.Sub(g.From).Seconds(), 2*idleBelow)
			}
			total, longest := u.Idle()
			assert.InDelta(t, 8, total.Seconds(), 4*idleBelow)
			assert.InDelta(t, 4, longest.Seconds(), 2*idleBelow)
			assert.InDelta(t, 12./20, u.Busy.N, 0.001)
		})
	}
}

// TestIdleGapsBesideThinWork: work that fills 60 % of its time leaves the ends unsure by less than one read's interval.
func TestIdleGapsBesideThinWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		thin := phase{lasts: 4300 * ms, busy: 0.6, watts: 300}
		u := run(t, newScript(1, thin, rest, thin), s1, 500*ms, 12*s1)
		require.Len(t, u.Gaps, 1)
		assert.WithinDuration(t, u.From.Add(3800*ms), u.Gaps[0].From, s1)
		assert.WithinDuration(t, u.From.Add(7800*ms), u.Gaps[0].To, s1)
	})
}

func TestThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hot := work
		hot.throttled = true
		u := run(t, newScript(1, work, hot, work), s1, 1*s1, 11*s1)
		assert.InDelta(t, 4, u.Throttle[PowerCap].N, 1e-6)
		assert.Equal(t, []Trouble{{TroublePowerCap, "GPU 0: power cap for 40 % of the window"}}, u.Trouble)
		assert.False(t, u.Throttle[HWThermal].Known)
	})
}

func TestMissingSamples(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(1, work)
		s.silent = func(d time.Duration) bool { return d > 3500*ms && d < 6500*ms }
		u := run(t, s, s1, 1*s1, 9*s1)
		assert.Equal(t, 3, u.Missing)
		assert.Equal(t, []Trouble{{TroubleMissing, "3 of about 8 reads"}}, u.Trouble)
		assert.InDelta(t, 4800, u.Energy.N, u.EnergyError.N, "a counter bridges them")
	})
}

func TestSilentAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(1, work)
		s.silent = func(d time.Duration) bool { return d > 3500*ms }
		p := newProbe(s, State{Name: StateNVML})
		p.Start(s1)
		time.Sleep(8 * s1)
		u := p.Window(s.start, s.start.Add(8*s1))
		assert.Equal(t, 5, u.Missing)
		assert.Contains(t, kinds(u), TroubleMissing)
		assert.False(t, u.Energy.Known)
		assert.False(t, u.Busy.Known)
		assert.Equal(t, State{StateSilent, "scripted silence"}, p.State())
		s.silent = nil
		p.Mark()
		assert.Equal(t, State{Name: StateNVML}, p.State(), "it answers again")
		require.NoError(t, p.Close())
	})
}

func TestCounterBackwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(1, work)
		s.offset = func(d time.Duration) float64 {
			if d > 4500*ms {
				return 0
			}
			return 1e6
		}
		u := run(t, s, s1, 1*s1, 9*s1)
		assert.False(t, u.Energy.Known)
		assert.InDelta(t, 600, u.Power.N, 1e-6, "of the reads")
		assert.Equal(t, []string{TroubleBackwards}, kinds(u))
	})
}

func TestEnergyDisagrees(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(1, work)
		s.offset = func(d time.Duration) float64 { return 120 * d.Seconds() }
		assert.Equal(t, []string{TroubleEnergy}, kinds(run(t, s, s1, 1*s1, 21*s1)))
	})
}

func TestStaleExporter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(1, work)
		s.offset = func(d time.Duration) float64 { return -600 * (d.Truncate(energyStep) - d.Truncate(10*s1)).Seconds() }
		u := run(t, s, s1, 12*s1, 38*s1)
		assert.Equal(t, []Trouble{{TroubleStale, "GPU 0: energy rested for 9s; run the exporter with --collect-interval 1000"}}, u.Trouble)
		assert.InDelta(t, 600*26, u.Energy.N, u.EnergyError.N)
	})
}

func TestShortWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := run(t, newScript(1, work), s1, 2*s1, 3500*ms)
		assert.Equal(t, []Trouble{{TroubleShort, "1.5s holds fewer than two reads of 1s"}}, u.Trouble)
	})
}

func TestBeforeStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(1, work)
		time.Sleep(5 * s1)
		u := run(t, s, s1, 0, 10*s1)
		assert.Equal(t, 4, u.Missing)
		assert.Contains(t, kinds(u), TroubleMissing)
		assert.False(t, u.Energy.Known)
	})
}

func TestSeveralGPUs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := run(t, newScript(3, work, rest, work), s1, 1*s1, 11*s1)
		require.Len(t, u.GPUs, 3)
		assert.InDelta(t, 3*(600*6+120*4), u.Energy.N, u.EnergyError.N)
		assert.InDelta(t, 3*u.GPUs[0].Power.N, u.Power.N, 1e-6)
		assert.InDelta(t, 0.6, u.Busy.N, 1e-6)
		assert.InDelta(t, 0.48, u.DRAM.N, 1e-6)
		assert.Equal(t, u.GPUs[1].Gaps, u.Gaps)
	})
}

func TestLostGPU(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(2, work)
		s.lost = func(d time.Duration) bool { return d > 5*s1 }
		u := run(t, s, s1, 1*s1, 9*s1)
		assert.Equal(t, []Trouble{{TroubleLost, "GPU 0 (GPU-a)"}}, u.Trouble)
		assert.False(t, u.Power.Known)
		assert.True(t, u.GPUs[1].Power.Known)
	})
}

func TestIntersect(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	a := []Gap{{at(1), at(4)}, {at(6), at(9)}}
	assert.Equal(t, []Gap{{at(3), at(4)}, {at(6), at(7)}}, intersect(a, []Gap{{at(3), at(7)}}))
	assert.Empty(t, intersect(a, []Gap{{at(4), at(6)}}))
	assert.Equal(t, a, intersect(a, a))
}
