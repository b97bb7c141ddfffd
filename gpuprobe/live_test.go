package gpuprobe

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A load is what testdata/load.py says that it did.
type load struct {
	Start, End float64 // seconds since 1970
	Bytes      float64
	FLOPs      float64
	Pauses     [][2]float64
}

// edge is left out at both ends of a load, in seconds: two reads.
const edge = 1

func at(unix float64) time.Time {
	sec, frac := math.Modf(unix)
	return time.Unix(int64(sec), int64(frac*1e9))
}

// TestLive holds a real GPU's figures against loads whose bytes and pauses
// PyTorch knows by its own clock. It needs both, so it runs where GPUPROBE_LIVE
// names a Python with PyTorch: GPUPROBE_LIVE=python3 go test -run TestLive -v ./gpuprobe
func TestLive(t *testing.T) {
	python := os.Getenv("GPUPROBE_LIVE")
	if python == "" {
		t.Skip("GPUPROBE_LIVE names no Python with PyTorch")
	}
	p, err := Open(t.Context(), "nvml=0")
	require.NoError(t, err)
	defer p.Close()
	t.Logf("%+v", p.Devices()[0])
	p.Start(500 * time.Millisecond)
	idle, err := p.Idle(t.Context(), 2*time.Second)
	t.Logf("idle %.0f W (%v)", idle, err)

	run := func(mode, seconds string) (load, Usage) {
		out, err := exec.CommandContext(t.Context(), python, "testdata/load.py", mode, seconds).Output()
		require.NoError(t, err, "%s", out)
		var l load
		require.NoError(t, json.Unmarshal(out, &l))
		// A sample's means are of the whole time since the one before, so the
		// load's own edges are left out: a benchmark marks those of its windows.
		u := p.Window(at(l.Start+edge), at(l.End-edge))
		t.Logf("%-6s util %5.1f %% SM %5.1f %% DRAM %5.1f %% tensor %5.1f %% idle %4.1f %% %4.0f W %7.0f J +- %.0f (net %.0f) SM %4.0f MHz mem %.1f GiB, %d samples, trouble %v",
			mode, 100*u.Utilization.N, 100*u.SM.N, 100*u.DRAM.N, 100*u.Tensor.N, 100*(1-u.Busy.N), u.Power.N, u.Energy.N, u.EnergyError.N,
			u.EnergyNet.N, u.SMClock.N/1e6, u.Memory.N/(1<<30), u.Samples, u.Trouble)
		return l, u
	}
	d := p.Devices()[0]
	peak := d.BusWidth.N / 8 * d.MemoryClock.N * 2
	for _, mode := range []string{"copy", "gemv", "matmul"} {
		l, u := run(mode, "8")
		seconds := l.End - l.Start
		if l.Bytes > 0 {
			want := l.Bytes / seconds / peak
			t.Logf("%-6s PyTorch: %.2f TB/s, %.1f %% of %.2f", mode, l.Bytes/seconds/1e12, 100*want, peak/1e12)
			assert.InDelta(t, want, u.DRAM.N, 0.02, mode)
		} else {
			t.Logf("%-6s PyTorch: %.0f TFLOP/s", mode, l.FLOPs/seconds/1e12)
		}
		require.True(t, u.Energy.Known)
		assert.InEpsilon(t, samplePower(p, u.From, u.To)*u.To.Sub(u.From).Seconds(), u.Energy.N, 0.05, mode)
	}
	l, u := run("onoff", "15")
	for _, g := range u.Gaps {
		t.Logf("gap   %.2f s from %.2f s", g.To.Sub(g.From).Seconds(), g.From.Sub(at(l.Start)).Seconds())
	}
	require.Len(t, u.Gaps, len(l.Pauses))
	for i, g := range u.Gaps {
		t.Logf("pause %.2f s from %.2f s", l.Pauses[i][1]-l.Pauses[i][0], l.Pauses[i][0]-l.Start)
		assert.InDelta(t, 0, g.From.Sub(at(l.Pauses[i][0])).Seconds(), 0.5)
		assert.InDelta(t, 0, g.To.Sub(at(l.Pauses[i][1])).Seconds(), 0.5)
	}
}

// samplePower is the mean of the power reads, the other way to the energy.
func samplePower(p *Probe, from, to time.Time) float64 {
	sum, n := 0.0, 0
	for _, s := range p.Samples(from, to) {
		if w := s.GPUs[0].Power; w.Known {
			sum += w.N
			n++
		}
	}
	return sum / float64(n)
}
