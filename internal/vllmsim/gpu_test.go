package vllmsim

import (
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/roofline"
)

// soloSteps are the steps of a request alone on an A100.
func soloSteps(t *testing.T, prompt, output int) []stepTime {
	t.Helper()
	s, err := Config{}.resolve()
	require.NoError(t, err)
	timer := newStepTimer(s)
	all := []stepTime{timer.step(Batch{Work: []Work{{Tokens: prompt, Sample: true}}})}
	for i := range output - 1 {
		all = append(all, timer.step(Batch{Work: []Work{{Context: prompt + i, Tokens: 1, Sample: true}}}))
	}
	return all
}

func TestGPUOfAKnownLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := startEngine(t, oneByOne(), 0)
		time.Sleep(3 * time.Second)
		before := e.gpu.read(time.Now())
		assert.Equal(t, gpuWork{}, before.gpuWork)
		assert.Equal(t, gpuMeans{watts: 400 * 121. / 700}, before.gpuMeans)
		assert.InEpsilon(t, 3*400*121./700, before.energy, 1e-12)

		submit(e, 1, 1000, 100)
		var busy, bytes, flops, joules float64
		for _, s := range soloSteps(t, 1000, 100) {
			busy += s.kernels.Seconds()
			bytes += s.work.Bytes
			flops += s.work.FLOPs
			dram := s.work.Bytes / 2.039e12 / s.kernels.Seconds()
			compute := min(1, s.work.FLOPs/(0.66*312e12)/s.kernels.Seconds())
			joules += s.kernels.Seconds() * min(400, 400./700*(121+569*dram+480*compute))
			joules -= s.kernels.Seconds() * 400 * 121 / 700
		}
		time.Sleep(2 * time.Second)
		r := e.gpu.read(time.Now())
		assert.InEpsilon(t, busy, r.gpuWork.busy, 1e-9)
		assert.InEpsilon(t, bytes, r.bytes, 1e-9)
		assert.InEpsilon(t, flops, r.flops, 1e-9)
		assert.InEpsilon(t, 5*400*121./700+joules, r.energy, 1e-9)
		assert.InEpsilon(t, busy/2, r.gpuMeans.busy, 1e-9, "the mean is since the reading before")
		assert.InEpsilon(t, bytes/2.039e12/2, r.dram, 1e-9)
		assert.InEpsilon(t, (r.energy-before.energy)/2, r.watts, 1e-9)
	})
}

func TestGPUWithinAStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := startEngine(t, oneByOne(), 0)
		submit(e, 1, 1000, 1)
		step := soloSteps(t, 1000, 1)[0]
		for _, tt := range []struct {
			at   time.Duration
			done float64
		}{
			{0, 0}, {stepOverhead, 0}, {stepOverhead + step.kernels/4, 0.25}, {stepOverhead + step.kernels/2, 0.5},
			{step.duration(), 1}, {time.Minute, 1},
		} {
			r := e.gpu.read(e.gpu.started.Add(tt.at))
			assert.InDelta(t, tt.done*step.work.Bytes, r.bytes, 100*float64(step.work.Bytes)/float64(step.kernels), "at %v", tt.at)
			time.Sleep(time.Until(e.gpu.started.Add(tt.at)))
		}
	})
}

// A reader of an on/off load sees energy as the integral of power, and nothing
// at all in the gaps.
func TestGPUGaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := startEngine(t, oneByOne(), 0)
		start := e.gpu.read(time.Now())
		var load time.Duration
		for _, s := range soloSteps(t, 10, 200) {
			load += s.duration()
		}
		require.Greater(t, load, 1500*time.Millisecond)
		require.Less(t, load, 2*time.Second)

		const period = 250 * time.Millisecond
		var joules, busy float64
		idle := 0
		for i := range 40 { // twice 5 seconds
			if i%20 == 0 {
				submit(e, uint64(i), 10, 200)
			}
			time.Sleep(period)
			r := e.gpu.read(time.Now())
			joules += r.watts * period.Seconds()
			busy += r.gpuMeans.busy * period.Seconds()
			if r.gpuMeans == (gpuMeans{watts: e.gpu.idleWatts()}) {
				idle++
			} else {
				assert.Less(t, time.Duration(i%20)*period, load, "active after the load's end")
			}
		}
		end := e.gpu.read(time.Now())
		assert.InEpsilon(t, end.energy-start.energy, joules, 1e-9)
		assert.InEpsilon(t, end.gpuWork.busy-start.gpuWork.busy, busy, 1e-9)
		assert.Equal(t, int(2*((5*time.Second-load)/period)), idle)
	})
}

func TestGPUMeansStayForAnInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := startEngine(t, oneByOne(), 0)
		submit(e, 1, 10, 1000)
		time.Sleep(time.Second)
		first := e.gpu.read(time.Now())
		assert.InDelta(t, 0.94, first.gpuMeans.busy, 0.01, "8.8 ms of kernels after 0.54 ms of overhead")
		time.Sleep(gpuInterval - time.Nanosecond)
		again := e.gpu.read(time.Now())
		assert.Equal(t, first.gpuMeans, again.gpuMeans)
		assert.Greater(t, again.bytes, first.bytes, "totals do not wait")
		time.Sleep(time.Nanosecond)
		assert.NotEqual(t, first.gpuMeans, e.gpu.read(time.Now()).gpuMeans)
	})
}

// An engine that wakes up late works off its plan in bursts; a device cannot
// do more than all, and its counters do not go back.
func TestGPUOfALateEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := startEngine(t, oneByOne(), 0)
		steps := 0
		e.sleepUntil = func(at time.Time) {
			if steps++; steps%20 == 0 {
				at = at.Add(90 * time.Millisecond) // less than makes the clock give up
			}
			RuntimeSleep(at)
		}
		submit(e, 1, 10, 300)
		var last gpuReading
		bursts := false
		const interval = 100 * time.Millisecond
		for range 20 {
			time.Sleep(interval)
			r := e.gpu.read(time.Now())
			for _, share := range []float64{r.gpuMeans.busy, r.gpuMeans.sm, r.gpuMeans.tensor, r.dram, r.watts / 400} {
				assert.LessOrEqual(t, share, 1.0)
			}
			assert.GreaterOrEqual(t, r.energy, last.energy)
			assert.GreaterOrEqual(t, r.bytes, last.bytes)
			bursts = bursts || r.gpuWork.busy-last.gpuWork.busy > interval.Seconds()
			last = r
		}
		assert.True(t, bursts, "otherwise this tests nothing")
	})
}

// The model gives the power and activity that were measured on an H200.
func TestKernelWorkIsTheMeasured(t *testing.T) {
	h200, err := roofline.FindGPU("H200")
	require.NoError(t, err)
	const second = time.Second
	tests := []struct {
		name                    string
		work                    roofline.Work // of a second
		dram, tensor, sm, watts float64
		activity, power         float64 // tolerance: of shares, and relative
	}{
		{"GEMV", roofline.Work{Bytes: 0.786 * 4.8e12, FLOPs: 0.786 * 4.8e12}, 0.786, 0.031, 0.629, 568, 0.03, 0.01},
		{"GEMM of 32", roofline.Work{Bytes: 0.775 * 4.8e12, FLOPs: 0.12 / 0.932 * 0.66 * 989e12}, 0.775, 0.121, 0.634, 660, 0.05, 0.06},
		{"matmul", roofline.Work{Bytes: 0.16 * 4.8e12, FLOPs: 655e12}, 0.16, 0.932, 0.96, 692, 0.01, 0.01},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := kernelWork(h200, stepTime{tt.work, 0, second})
			assert.InDelta(t, tt.dram, w.bytes/h200.Bandwidth, tt.activity)
			assert.InDelta(t, tt.tensor, w.tensor, tt.activity)
			assert.InDelta(t, tt.sm, w.sm, tt.activity)
			assert.InEpsilon(t, tt.watts, idleShare*h200.PowerLimit+w.joules, tt.power)
		})
	}
	all := kernelWork(h200, stepTime{roofline.Work{Bytes: 0.786 * 4.8e12, FLOPs: 650e12}, 0, second})
	assert.InDelta(t, 700, idleShare*h200.PowerLimit+all.joules, 1e-9, "never beyond the limit")
	assert.Zero(t, kernelWork(h200, stepTime{}))
}

// TestGPUPage compares the page of a second under load with the golden one,
// which UPDATE_GOLDEN=1 writes anew, to the digits on which processors agree.
func TestGPUPage(t *testing.T) {
	const file = "testdata/dcgm.txt"
	synctest.Test(t, func(t *testing.T) {
		e := startEngine(t, oneByOne(), 0)
		submit(e, 1, 1000, 200)
		time.Sleep(time.Second)
		answer := httptest.NewRecorder()
		e.gpu.page().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, gpuPath, nil))
		values := regexp.MustCompile(`(?m)[^ ]+$`)
		page := values.ReplaceAllStringFunc(answer.Body.String(), func(s string) string {
			if v, err := strconv.ParseFloat(s, 64); err == nil {
				return strconv.FormatFloat(v, 'g', 6, 64)
			}
			return s
		})
		if os.Getenv("UPDATE_GOLDEN") != "" {
			require.NoError(t, os.WriteFile(file, []byte(page), 0o644))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, string(want), page)
	})
}

func TestGPUPageOverHTTP(t *testing.T) {
	url := start(t, Config{APIKey: "secret", GPU: "h200"}) + gpuPath
	resp, body := do(t, "GET", url, "")
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Contains(t, resp.Header.Get("Content-Type"), "text/plain")
	assert.Contains(t, body, `modelName="simulated H200"`)
	resp, _ = do(t, "POST", url, "")
	assert.Equal(t, http.StatusMethodNotAllowed, resp.StatusCode)
}

// The memory in use is what the server was allowed, less a part of a block.
func TestGPUMemory(t *testing.T) {
	for _, c := range []Config{{}, {GPU: "H200", GPUMemoryUtilization: 0.5}, {GPU: "L4"}} {
		s, err := c.resolve()
		require.NoError(t, err)
		g := newGPU(s, time.Now())
		block := 16 * s.model.KVBytesPerToken()
		assert.InDelta(t, s.GPUMemoryUtilization*s.gpu.Memory-block/2, g.memory, block/2+1, s.GPU)
	}
	s, err := Config{NumGPUBlocksOverride: 2049}.resolve()
	require.NoError(t, err)
	assert.InDelta(t, 15.231e9+2*1024*mebi+2049*16*56*1024, newGPU(s, time.Now()).memory, 1e6)
}
