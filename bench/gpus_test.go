package bench

import (
	"encoding/json"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/gpuprobe"
	"vllmbench/internal/results"
	"vllmbench/internal/vllmsim"
)

// The embedded server's GPU takes the same way to the line as a real one, and
// is named as what it is.
func TestSimulatedGPU(t *testing.T) {
	url := simulate(t, vllmsim.Config{})
	long := []string{"-url=" + url, "-test.bench=Latency", "-test.benchtime=2x", "-prompt=10", "-output=60", "-metrics=all"}

	dir := filepath.Join(t.TempDir(), "run")
	c := runChild(t, append(long, "-gpu=auto", "-test.count=2", "-record="+dir)...)
	assert.Zero(t, c.status(), c.all())
	timeline(t, dir)
	assert.Contains(t, c.stdout.String(), "gpu: simulated A100-80GB\n")
	assert.Len(t, c.comments("gpu 0: simulated A100-80GB"), 1)
	for _, r := range c.results() {
		power, ok := r.Value("gpu-W")
		assert.True(t, ok, c.all())
		assert.InDelta(t, 325, power, 60, "between its idle 69 W and its limit of 400 W")
		dram, _ := r.Value("gpu-dram-%")
		assert.InDelta(t, 78, dram, 6, "the share of the bandwidth that a step reaches, 78.6 %")
		floor, _ := r.Value("decode-floor-%")
		assert.InDelta(t, 78.6, floor, 4, "6.94 ms of 8.83 ms, since scheduling passes while a step runs")
		energy, _ := r.Value("J/tok")
		rate, _ := r.Value("tok/s")
		assert.InEpsilon(t, power/rate, energy, 0.1)
	}

	c = runChild(t, append(long, "-gpu=none")...)
	assert.Zero(t, c.status(), c.all())
	assert.NotRegexp(t, `(?m)^(Unit|Benchmark).*(gpu-|-floor)`, c.stdout.String())
	assert.NotContains(t, c.stdout.String(), "J/tok")
	assert.NotContains(t, c.stdout.String(), "simulated")
}

// timeline looks at the samples of a recorded run: they reach without a hole
// from before the first row to the last one's end, and show its load.
func timeline(t *testing.T, dir string) {
	t.Helper()
	run, err := results.Open(dir)
	require.NoError(t, err)
	defer run.Close()
	h := run.Header
	require.Len(t, h.Devices, 1)
	assert.Equal(t, results.Device{Name: "simulated A100-80GB", UUID: "GPU-00000000-0000-0000-0000-000000000000", Driver: "vllmsim", Memory: 80 << 30, PowerLimit: 400, Simulated: true}, h.Devices[0])
	assert.InDelta(t, 69, h.IdlePower, 1)
	assert.Equal(t, 28, h.Model.Layers)
	assert.Equal(t, 2.039e12, h.Peaks.Bandwidth)

	require.Len(t, run.Rows, 2)
	require.NotEmpty(t, run.GPU)
	last := run.Rows[1].Measured.Window
	assert.Less(t, run.GPU[0].At, run.Rows[0].Measured.Window.From)
	assert.GreaterOrEqual(t, run.GPU[len(run.GPU)-1].At, last.To)
	for i, s := range run.GPU {
		require.Len(t, s.GPUs, 1)
		require.NotNil(t, s.GPUs[0].Power)
		if i > 0 {
			assert.Less(t, s.At-run.GPU[i-1].At, 3*gpuPeriod, "a hole before sample %d", i)
		}
		if s.At > last.From+gpuPeriod && s.At <= last.To {
			assert.Greater(t, *s.GPUs[0].Busy, 0.8)
			assert.Greater(t, *s.GPUs[0].DRAM, 0.5)
		}
	}
}

// A sample is recorded as far as the GPU told it, rounded to what it is worth.
func TestSampleOf(t *testing.T) {
	is := func(n float64) gpuprobe.Value { return gpuprobe.Value{N: n, Known: true} }
	epoch := time.Now()
	got := sampleOf(gpuprobe.Sample{At: epoch.Add(time.Second), GPUs: []gpuprobe.Reading{
		{Utilization: is(1), Graphics: is(0.123456), DRAM: is(0.7), Power: is(310.26), SMClock: is(1.98e9), Temperature: is(math.NaN()), Throttled: is(0x4 | 0x40)},
		{Utilization: is(0.5), Throttled: is(0)},
		{Lost: true},
	}}, epoch)
	text, err := json.Marshal(got)
	require.NoError(t, err)
	assert.JSONEq(t, `{"at_ns":1000000000,"gpus":[
		{"busy":0.1235,"dram":0.7,"power_W":310.3,"sm_clock_Hz":1980000000,"throttled":["power cap","hardware thermal"]},
		{"busy":0.5},
		{}]}`, string(text))
}

// Cells of hours are drained before the probe's memory is full.
func TestDrainKeepsAhead(t *testing.T) {
	held := time.Duration(gpuprobe.KeptSamples) * gpuPeriod
	assert.Less(t, drainEvery, held/2)
}

func TestGPUSpecs(t *testing.T) {
	url := simulate(t, vllmsim.Config{})
	for spec, says := range map[string]string{
		"nonsense":                     "vllmbench: -gpu: GPU source \"nonsense\" is not known",
		"dcgm=http://127.0.0.1:1":      "vllmbench: -gpu: DCGM exporter at http://127.0.0.1:1/metrics gives no GPU",
		"dcgm=" + url + "/v1/models":   "gives no GPU",
		"dcgm=ftp://127.0.0.1/metrics": "vllmbench: -gpu: DCGM exporter's URL",
	} {
		c := runChild(t, tiny("-url="+url, "-gpu="+spec)...)
		assert.Equal(t, 1, c.status(), spec)
		assert.Contains(t, c.stderr.String(), says)
		assert.Empty(t, c.stdout.String(), "no header, no result: %s", spec)
	}
}

// A real server elsewhere must not be given this machine's GPUs.
func TestWhoseGPU(t *testing.T) {
	for host, want := range map[string]bool{"127.0.0.1": true, "localhost": true, "::1": true, "192.0.2.1": false} {
		assert.Equal(t, want, local(host), host)
	}
	assert.Equal(t, "10.0.0.7", hostOf("http://10.0.0.7:8000"))
	assert.Equal(t, "::1", hostOf("http://[::1]:8000"))
}
