package answers

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/measure"
	"vllmbench/internal/results"
	"vllmbench/internal/roofline"
)

func TestBound(t *testing.T) {
	model, err := roofline.FindModel("Qwen2.5-7B")
	require.NoError(t, err)
	gpu, err := roofline.FindGPU("H200")
	require.NoError(t, err)
	weak := gpu
	weak.FLOPS = gpu.FLOPS / 1000
	for _, tc := range []struct {
		name         string
		model        *roofline.Model
		peaks        *roofline.GPU
		dram, tensor float64 // 0: unknown
		text         []string
	}{
		{"memory by both", &model, &gpu, 70, 5, []string{"At batch 1 decode is bound by memory: DRAM bandwidth is used at 70.0 %", "the roofline says the same"}},
		{"compute by both", &model, &weak, 20, 80, []string{"At batch 1 decode is bound by compute", "the roofline says the same"}},
		{"neither", &model, &gpu, 30, 5, []string{"bound by neither: the GPU waits for launches or for the host", "while on an ideal GPU memory would"}},
		{"no agreement", &model, &gpu, 20, 80, []string{"the counters say that compute bounds decode and the roofline says memory: they do not agree"}},
		{"no counters", &model, &gpu, 0, 0, []string{"At batch 1 the roofline says that memory bounds decode", "At batch 32 the roofline"}},
		{"no roofline", nil, nil, 70, 5, []string{"At batch 1 decode is bound by memory", "At batch 32 decode"}},
		{"nothing", nil, nil, 0, 0, []string{"no GPU was watched", "-model-config=FILE"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newSample(1)
			s.run.Header.Model, s.run.Header.Peaks = tc.model, tc.peaks
			for r := range 6 {
				for _, batch := range []int{1, 32} {
					values := map[string]float64{"tok/s": 200 * float64(batch), "mean-itl-ns": 5e6}
					if tc.dram > 0 {
						values["gpu-dram-%"], values["gpu-tensor-%"] = tc.dram, tc.tensor
					}
					s.row(r+1, atBatch(batch), values)
				}
			}
			a := answer(t, Of(s.run), "bound")
			for _, part := range tc.text {
				assert.Contains(t, a.Text, part)
			}
			assert.Equal(t, tc.name == "nothing", a.Status == NotEnough)
		})
	}
}

func TestLimits(t *testing.T) {
	for _, tc := range []struct {
		name     string
		settings map[string]string
		text     string
	}{
		{"sequences first", map[string]string{"max_num_seqs": "64", "num_gpu_blocks": "10000", "block_size": "16"},
			"none of the server's limits is reached. Next is max-num-seqs=64, at batch 64, then the KV cache"},
		{"KV cache first", map[string]string{"max_num_seqs": "1024", "num_gpu_blocks": "750", "block_size": "16"},
			"Next is the KV cache (12" + thin + "000 tokens, of which a request of these lengths needs 300), at batch 40, then max-num-seqs=1024"},
		{"both exceeded", map[string]string{"max_num_seqs": "8", "num_gpu_blocks": "187", "block_size": "16"},
			"At batch 32: max-num-seqs=8 is exceeded; the KV cache (2990 tokens, of which a request of these lengths needs 300) is exceeded."},
		{"two engines", map[string]string{"max_num_seqs": "64", "data_parallel_size": "2"}, "max-num-seqs=64, at batch 128"},
		{"unknown", nil, "tells neither its settings nor its queue"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newSample(1)
			s.serve(t, tc.settings)
			for r := range 6 {
				s.sweep(r+1, sixBatches, 0.01, capped(100))
			}
			assert.Contains(t, answer(t, Of(s.run), "limit").Text, tc.text)
		})
	}
}

// Idle time that every token has is told from idle time that every request has.
func TestIdlePlaces(t *testing.T) {
	s := newSample(1)
	for r := range 6 {
		for _, o := range someOutputs {
			e2e := 10e6 + 5e6*float64(o)
			row := s.row(r+1, atLengths(10, o), map[string]float64{"gpu-idle-%": 100 * (4e6 + 0.1e6*float64(o)) / e2e})
			row.Measured.Window.To = time.Duration(10 * e2e)
		}
	}
	s.run.Rows[2].Measured.Gaps = []measure.Window{{From: 1e9, To: 3e9}}
	text := answer(t, Of(s.run), "idle").Text
	assert.Contains(t, text, "4.00 ms [4.00, 4.00] of it come once a request")
	assert.Contains(t, text, "100 µs [100, 100] with every token")
	assert.Contains(t, text, "1 gap is long enough to be seen, the longest 2.00 s in SeqLen/prompt=10/output=200")
}

// Only reads inside the windows of valid rows tell of throttling.
func TestThrottled(t *testing.T) {
	s := newSample(1)
	s.row(1, atBatch(1), nil).Measured.Window = measure.Window{From: 10, To: 20}
	s.row(2, atBatch(1), nil).Measured.Window = measure.Window{From: 30, To: 40}
	s.run.Rows[1].Measured.Void = []string{"1 failed"}
	for at := time.Duration(0); at < 50; at += 5 {
		g := results.GPUReading{}
		if at == 15 || at > 20 {
			g.Throttled = []string{"power cap"}
		}
		s.run.GPU = append(s.run.GPU, results.GPUSample{At: at, GPUs: []results.GPUReading{g}})
	}
	v := newView(s.run)
	assert.InDelta(t, 1.0/3, v.throttled(), 1e-9)
	assert.Equal(t, "power cap", v.throttles())
}

func TestNumbers(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 1: "1.00", 9.996: "10.0", 0.01234: "0.0123", 206.63: "207", 4787: "4790", 16804: "16" + thin + "800", 2086256: "2.09 million", -12.34: "-12.3", 999.6: "1000",
	} {
		assert.Equal(t, want, number(v))
	}
	low, high := -0.01, 12.3456
	assert.Equal(t, "0.5 ms [0.0, 12.3]", Estimate{0.5, &low, &high, 6}.text("ms"))
	assert.Equal(t, "4.75 ms (n=3)", Estimate{Value: 4.748e6, N: 3}.duration(""))
	assert.Equal(t, "unknown", Estimate{}.text("ms"))
	assert.Equal(t, "1"+thin+"234"+thin+"567", count(1234567))
}
