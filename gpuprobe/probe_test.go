package gpuprobe

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBadSpec(t *testing.T) {
	for spec, says := range map[string]string{
		"":                  `GPU source "" is not known: give auto, none, nvml`,
		"gpu":               `GPU source "gpu" is not known`,
		"nvml=":             `GPU source "nvml=" is not known`,
		"none=1":            `GPU source "none=1" is not known`,
		"dcgm":              `GPU source "dcgm" is not known`,
		"dcgm=localhost:94": `DCGM exporter's URL "localhost:94" is none: give it like dcgm=http://host:9400/metrics`,
		"dcgm=http://":      `DCGM exporter's URL "http://" is none`,
	} {
		_, err := Open(t.Context(), spec)
		assert.ErrorContains(t, err, says)
	}
}

func TestNone(t *testing.T) {
	p, err := Open(t.Context(), "none")
	require.NoError(t, err)
	p.Start(0)
	p.Mark()
	now := time.Now()
	assert.Equal(t, "none: GPU figures are turned off", p.State().String())
	assert.Equal(t, Usage{From: now, To: now.Add(time.Second)}, p.Window(now, now.Add(time.Second)))
	assert.Empty(t, p.Samples(now, now))
	_, err = p.Idle(t.Context(), time.Millisecond)
	assert.ErrorContains(t, err, "tells no power")
	require.NoError(t, p.Close())
	require.NoError(t, p.Close())
}

func TestCloseBeforeStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(1, work)
		p := newProbe(s, State{Name: StateNVML})
		require.NoError(t, p.Close())
		p.Start(s1)
		p.Mark()
		assert.Zero(t, s.reads)
	})
}

// TestPeriod: reads come at whole periods although each takes a while, and a second Start changes nothing.
func TestPeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(1, work)
		s.cost = 30 * ms
		p := newProbe(s, State{Name: StateNVML})
		p.Start(time.Millisecond) // too often: 200 ms
		p.Start(time.Hour)
		time.Sleep(10*s1 + 50*ms)
		all := p.Samples(s.start.Add(ms), s.start.Add(10*s1+100*ms))
		require.Len(t, all, 51, "the first, and five a second")
		for i, got := range all {
			assert.Equal(t, time.Duration(i)*200*ms+30*ms, got.At.Sub(s.start))
			assert.Equal(t, 30*ms, got.Took)
		}
		require.NoError(t, p.Close())
	})
}

func TestRingForgets(t *testing.T) {
	r := newRing(3, 1)
	for i := range 5 {
		r.add(&Sample{At: time.Unix(int64(i), 0), GPUs: []Reading{{Power: known(float64(i))}}})
	}
	all := r.between(time.Unix(0, 0), time.Unix(9, 0))
	require.Len(t, all, 3)
	assert.Equal(t, known(2), all[0].GPUs[0].Power)
	r.add(&Sample{At: time.Unix(5, 0), GPUs: []Reading{{}}})
	assert.Equal(t, known(2), all[0].GPUs[0].Power, "a copy")
	assert.Len(t, r.between(time.Unix(3, 0), time.Unix(4, 0)), 2, "both ends are in")
	assert.Len(t, r.around(time.Unix(4, 5), time.Unix(4, 6)), 3)
}

func TestIdlePower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(2, rest, work)
		p := newProbe(s, State{Name: StateNVML})
		p.Start(s1)
		w, err := p.Idle(t.Context(), 3*s1)
		require.NoError(t, err)
		assert.InDelta(t, 240, w, 240*0.1/3, "to the counter's step")
		time.Sleep(7 * s1)
		u := p.Window(s.start.Add(5*s1), s.start.Add(10*s1))
		assert.InDelta(t, 2*5*600-w*5, u.EnergyNet.N, u.EnergyError.N)

		_, err = p.Idle(t.Context(), 3*s1)
		assert.EqualError(t, err, "idle power was not measured: the GPU was 100 % busy; let it rest before the run")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = p.Idle(ctx, 3*s1)
		assert.ErrorIs(t, err, context.Canceled)
		require.NoError(t, p.Close())
	})
}

func TestForeignProcesses(t *testing.T) {
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Skip("no sleep(1) to stand for a server's child: ", err)
	}
	t.Cleanup(func() { _, _ = child.Process.Kill(), child.Wait() })
	server, other := Process{PID: child.Process.Pid, Memory: known(8 << 30)}, Process{PID: 1 << 30, Memory: known(2 << 20)}
	for _, c := range []struct {
		name   string
		expect []int
		run    []Process
		says   string
	}{
		{"one, none named", nil, []Process{server}, ""},
		{"two, none named", nil, []Process{server, other}, "which is the server's is not known"},
		{"none", []int{7}, []Process{}, ""},
		{"the server's", []int{server.PID}, []Process{server}, ""},
		{"another's", []int{server.PID}, []Process{server, other}, "GPU 0: pid 1073741824 (2 MiB)"},
		{"not told", []int{server.PID}, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScript(1, work)
				s.processes = c.run
				p := newProbe(s, State{Name: StateNVML})
				if c.expect != nil {
					p.Expect(c.expect...)
				}
				p.Start(s1)
				time.Sleep(4 * s1)
				u := p.Window(s.start, s.start.Add(4*s1))
				require.NoError(t, p.Close())
				assert.Equal(t, c.run == nil, u.Processes == nil)
				if c.says == "" {
					assert.Empty(t, u.Trouble)
					return
				}
				require.Len(t, u.Trouble, 1)
				assert.Equal(t, TroubleForeign, u.Trouble[0].Kind)
				assert.Contains(t, u.Trouble[0].Text, c.says)
			})
		})
	}
	t.Run("a child of ours", func(t *testing.T) {
		if _, err := os.Stat("/proc/self/stat"); err != nil {
			t.Skip("no /proc: parents are not known")
		}
		assert.True(t, isExpected(map[int]bool{os.Getpid(): true}, child.Process.Pid))
		assert.False(t, isExpected(map[int]bool{1 << 30: true}, child.Process.Pid))
	})
}

func TestChooseDevices(t *testing.T) {
	all := []Device{{Index: 0, UUID: "GPU-aa"}, {Index: 1, UUID: "GPU-ab"}, {Index: 2, UUID: "GPU-b"}}
	for list, want := range map[string][]int{"": {0, 1, 2}, "2,0": {2, 0}, "1, GPU-b": {1, 2}, "GPU-aa,0": {0}} {
		got, err := chooseDevices(all, list)
		require.NoError(t, err, list)
		assert.Equal(t, want, indices(got), list)
	}
	for _, list := range []string{"3", "GPU-c", "GPU-", "0,,1", "x"} {
		_, err := chooseDevices(all, list)
		assert.ErrorContains(t, err, "choose from 0 (GPU-aa), 1 (GPU-ab), 2 (GPU-b)", list)
	}
	for list, want := range map[string][]int{"": nil, "1": {1}, "2,9,0": {2}, "-1": nil, "GPU-b,GPU-a": {2, 0}, "NoDevFiles": nil} {
		assert.Equal(t, want, indices(visibleDevices(all, list)), list)
	}
}

func indices(all []Device) (out []int) {
	for _, d := range all {
		out = append(out, d.Index)
	}
	return out
}

// BenchmarkSampler tells what the sampler adds to a source's own cost.
func BenchmarkSampler(b *testing.B) {
	for _, gpus := range []int{1, 8} {
		b.Run("gpus="+string(rune('0'+gpus)), func(b *testing.B) {
			p := newProbe(newScript(gpus, work), State{Name: StateNVML})
			p.Start(time.Hour)
			b.ReportAllocs()
			for b.Loop() {
				p.Mark()
			}
			require.NoError(b, p.Close())
		})
	}
}

// BenchmarkJitter tells how late reads begin, of a source that costs nothing. One op is one period.
func BenchmarkJitter(b *testing.B) {
	p := newProbe(newScript(1, work), State{Name: StateNVML})
	start := time.Now()
	p.Start(minPeriod)
	for b.Loop() {
		<-time.After(minPeriod)
	}
	var late []float64
	for i, s := range p.Samples(start, time.Now()) {
		if i > 0 {
			past := s.At.Sub(start)
			late = append(late, float64(past-past.Truncate(minPeriod)))
		}
	}
	require.NotEmpty(b, late)
	slices.Sort(late)
	b.ReportMetric(late[len(late)/2], "p50-late-ns")
	b.ReportMetric(late[len(late)-1], "max-late-ns")
	require.NoError(b, p.Close())
}
