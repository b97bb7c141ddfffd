package measure

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/gpuprobe"
	"vllmbench/internal/engine"
	"vllmbench/internal/roofline"
)

// watched is the clean run beside a GPU that drew 300 W and moved data at half its bandwidth.
func watched() *Run {
	r := clean()
	is := func(n float64) gpuprobe.Value { return gpuprobe.Value{N: n, Known: true} }
	r.GPU = &gpuprobe.Usage{From: time.Unix(0, 0), Samples: 4, Figures: gpuprobe.Figures{
		Utilization: is(1), Busy: is(0.9), DRAM: is(0.5), Memory: is(70 << 30), Power: is(300),
		Energy: is(120), EnergyError: is(6), SMClock: is(1.98e9), GapsKnown: true,
		Gaps: []gpuprobe.Gap{{From: time.Unix(1, 0), To: time.Unix(1, 2e6)}, {From: time.Unix(2, 0), To: time.Unix(2, 5e6)}},
	}}
	return r
}

func TestGPUMetrics(t *testing.T) {
	row := watched().Row()
	require.Empty(t, row.Void)
	for metric, want := range map[string]float64{
		"gpu-util-%": 100, "gpu-dram-%": 50, "gpu-mem-B": 70 << 30, "gpu-W": 300, "gpu-idle-%": 10,
		"J/tok": 2, "gpu-clock-Hz": 1.98e9, "gpu-gaps": 2, "gpu-gap-max-ns": 5e6,
	} {
		assert.InEpsilon(t, want, value(t, row, metric), 1e-9, metric)
	}
	at := clean().Window.From
	assert.Equal(t, []Window{{at + time.Second, at + time.Second + 2*ms}, {at + 2*time.Second, at + 2*time.Second + 5*ms}}, row.Gaps)
	for _, metric := range []string{"gpu-sm-%", "gpu-tensor-%", "net-J/tok"} {
		_, there := row.Value(metric)
		assert.False(t, there, "%s is not known and must not be 0", metric)
	}
	for _, v := range clean().Row().Values {
		assert.False(t, ofGPU(v.Metric), "%s without a GPU", v.Metric)
	}
}

func TestGPUTroubleTakesOutWhatItTouches(t *testing.T) {
	all := []string{"gpu-util-%", "gpu-dram-%", "gpu-mem-B", "gpu-clock-Hz", "gpu-W", "J/tok", "gpu-idle-%", "gpu-gaps", "gpu-gap-max-ns"}
	trouble := func(kind string) func(*Run) {
		return func(r *Run) { r.GPU.Trouble = []gpuprobe.Trouble{{Kind: kind, Text: "so it was"}} }
	}
	for name, tc := range map[string]struct {
		broken  func(*Run)
		leftOut []string
	}{
		"nothing":          {func(*Run) {}, nil},
		"power cap":        {trouble(gpuprobe.TroublePowerCap), nil},
		"throttled":        {trouble(gpuprobe.TroubleThrottled), all},
		"foreign process":  {trouble(gpuprobe.TroubleForeign), all},
		"samples missing":  {trouble(gpuprobe.TroubleMissing), all},
		"short":            {trouble(gpuprobe.TroubleShort), all},
		"lost":             {trouble(gpuprobe.TroubleLost), all},
		"counter reset":    {trouble(gpuprobe.TroubleBackwards), []string{"J/tok"}},
		"coarse energy":    {func(r *Run) { r.GPU.EnergyError.N = 13 }, []string{"J/tok"}},
		"not the server's": {func(r *Run) { r.GPUNotServers = "the server is elsewhere" }, all},
	} {
		t.Run(name, func(t *testing.T) {
			r := watched()
			tc.broken(r)
			row := r.Row()
			require.Empty(t, row.Void, "a GPU's trouble is none of the server's")
			var got []string
			for _, l := range row.LeftOut {
				if l.Rule != "samples" {
					got = append(got, l.Metric)
					assert.NotEmpty(t, l.Reason)
				}
			}
			assert.ElementsMatch(t, tc.leftOut, got)
			_, proven := row.Value("gpu-gaps")
			assert.Equal(t, proven, row.Gaps != nil)
		})
	}
}

func TestFloorShares(t *testing.T) {
	model, err := roofline.FindModel("Qwen2.5-7B")
	require.NoError(t, err)
	gpu, err := roofline.FindGPU("A100-80GB")
	require.NoError(t, err)

	r := clean() // ITL 10 ms
	r.Batch = 1
	r.Floor = &Floor{model, gpu}
	r.Server.Prefill = engine.Hist{Sum: 0.2, Count: 10, Known: true}
	row := r.Row()
	assert.InDelta(t, 69.4, value(t, row, "decode-floor-%"), 0.2, "6.94 ms of weights at 2.039 TB/s, of 10 ms")
	assert.InDelta(t, 100*float64(roofline.PrefillFloor(model, gpu, 20))/20e6, value(t, row, "prefill-floor-%"), 1e-9)

	r = clean()
	r.Floor = &Floor{model, gpu.Derated(0.5, 1)} // a GPU that would need 13.9 ms
	row = r.Row()
	_, there := row.Value("decode-floor-%")
	assert.False(t, there)
	var left LeftOut
	for _, l := range row.LeftOut {
		if l.Metric == "decode-floor-%" {
			left = l
		}
	}
	assert.Contains(t, left.Reason, "tokens came faster than Qwen2.5-7B can decode on A100-80GB")
}
