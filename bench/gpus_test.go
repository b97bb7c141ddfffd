package bench

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"vllmbench/internal/vllmsim"
)

// The embedded server's GPU takes the same way to the line as a real one, and
// is named as what it is.
func TestSimulatedGPU(t *testing.T) {
	url := simulate(t, vllmsim.Config{})
	long := []string{"-url=" + url, "-test.bench=Latency", "-test.benchtime=2x", "-prompt=10", "-output=60", "-metrics=all"}

	c := runChild(t, append(long, "-gpu=auto")...)
	assert.Zero(t, c.status(), c.all())
	assert.Contains(t, c.stdout.String(), "gpu: simulated A100-80GB\n")
	assert.Len(t, c.comments("gpu 0: simulated A100-80GB"), 1)
	for _, r := range c.results() {
		power, ok := r.Value("gpu-W")
		assert.True(t, ok, c.all())
		assert.InDelta(t, 310, power, 60, "between its idle 69 W and its limit of 400 W")
		dram, _ := r.Value("gpu-dram-%")
		assert.InDelta(t, 73, dram, 6, "what the step time leaves of the bandwidth")
		floor, _ := r.Value("decode-floor-%")
		assert.InDelta(t, 74, floor, 4, "6.94 ms of 9.37 ms")
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
