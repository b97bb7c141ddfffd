package roofline

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func preset(t *testing.T, gpu string) (Model, GPU) {
	t.Helper()
	m, err := FindModel("Qwen/Qwen2.5-7B")
	require.NoError(t, err)
	g, err := FindGPU(gpu)
	require.NoError(t, err)
	return m, g
}

func TestModelSizes(t *testing.T) {
	m, _ := preset(t, "H200")
	assert.Equal(t, 7_615_616_512.0, m.Params(), "the count of the published checkpoint")
	assert.InDelta(t, 15.23e9, m.ResidentBytes(), 0.01e9)
	assert.InDelta(t, 14.14e9, m.WeightBytes(), 0.01e9)
	assert.Equal(t, 56.0*1024, m.KVBytesPerToken())

	tied := m
	tied.Tied = true
	assert.Equal(t, m.WeightBytes(), tied.WeightBytes(), "the output matrix is read either way")
	assert.Less(t, tied.Params(), m.Params())
}

// The counts are those that the models' publishers give.
func TestPresets(t *testing.T) {
	for name, params := range map[string]float64{
		"Qwen/Qwen2.5-0.5B-Instruct": 494_032_768, "Qwen2.5-7B": 7_615_616_512, "qwen2.5-72b-instruct": 72_706_203_648,
		"meta-llama/Llama-3.1-8B-Instruct": 8_030_261_248, "Llama-3.1-70B": 70_553_706_496,
	} {
		m, err := FindModel(name)
		require.NoError(t, err)
		assert.Equal(t, params, m.Params(), name)
	}
	_, err := FindModel("Qwen2.5-7B-Chat")
	assert.EqualError(t, err, `unknown model "Qwen2.5-7B-Chat": use one of Qwen2.5-0.5B, Qwen2.5-7B, Qwen2.5-72B, Llama-3.1-8B, Llama-3.1-70B`)
}

func TestFloors(t *testing.T) {
	const decode, prefill = "decode", "prefill"
	tests := []struct {
		gpu, phase    string
		batch, tokens int
		ms            float64
		bound         string
	}{
		{"A100-80GB", decode, 0, 1024, 0, "memory"},
		{"A100-80GB", decode, 1, 1, 6.94, "memory"},
		{"A100-80GB", decode, 1, 0, 6.94, "memory"}, // no shorter than the token itself
		{"A100-80GB", decode, 1, 1024, 6.96, "memory"},
		{"A100-80GB", decode, 8, 1024, 7.17, "memory"},
		{"A100-80GB", decode, 32, 1024, 7.86, "memory"},
		{"A100-80GB", decode, 32, 8192, 14.31, "memory"},
		{"A100-80GB", decode, 150, 1, 6.94, "memory"}, // compute bounds from 153
		{"A100-80GB", decode, 156, 1, 7.07, "compute"},
		{"A100-80GB", decode, 512, 4096, 65.9, "memory"}, // nor at any batch with long contexts
		{"A100-80GB", prefill, 1, 1024, 43.5, "compute"},
		{"A100-80GB", prefill, 1, 4096, 182, "compute"},
		{"A100-80GB", prefill, 1, 10, 6.94, "memory"},
		{"H200", decode, 1, 1, 2.95, "memory"},
		{"H200", decode, 32, 1024, 3.34, "memory"},
		{"H200", decode, 32, 8192, 6.08, "memory"},
		{"H200", prefill, 1, 1024, 13.7, "compute"},
		{"H200", prefill, 1, 4096, 57.4, "compute"},
		{"H200", prefill, 2, 1024, 27.4, "compute"}, // twice one, since prompts do not see each other
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s/%s=%d/tokens=%d", tt.gpu, tt.phase, tt.batch, tt.tokens), func(t *testing.T) {
			m, gpu := preset(t, tt.gpu)
			work, got := m.Decode(tt.batch, tt.tokens), DecodeFloor(m, gpu, tt.batch, tt.tokens)
			if tt.phase == prefill {
				prompts := slices.Repeat([]int{tt.tokens}, tt.batch)
				work, got = m.Prefill(prompts...), PrefillFloor(m, gpu, prompts...)
			}
			assert.InDelta(t, tt.ms, float64(got)/float64(time.Millisecond), 0.005+0.005*tt.ms)
			assert.Equal(t, tt.bound, work.Bound(gpu))
		})
	}
}

func TestDecodeCountsTheNewToken(t *testing.T) {
	m, _ := preset(t, "H200")
	w := m.Decode(2, 100)
	assert.Equal(t, m.WeightBytes()+200*m.KVBytesPerToken(), w.Bytes, "100 tokens are 99 read and 1 written")
	assert.Equal(t, m.Decode(2, 1), m.Decode(2, 0))
	assert.Equal(t, m.flops(Sequence{New: 100, Sample: true}), m.Prefill(100).FLOPs)
}

// The intensity of decoding is the batch for 2-byte weights, less what the KV
// cache adds to the bytes; the ridge is where the bound changes.
func TestIntensity(t *testing.T) {
	m, _ := preset(t, "H200")
	assert.InDelta(t, 1, m.Decode(1, 1).Intensity(), 0.001)
	assert.InDelta(t, 64, m.Decode(64, 1).Intensity(), 0.03)
	assert.InDelta(t, 29.1, m.Decode(32, 1024).Intensity(), 0.1)
	for _, name := range []string{"A100-80GB", "A100-80GB-PCIe", "A100-40GB", "A100-40GB-PCIe", "H100", "H100-PCIe", "H200", "L4"} {
		gpu, err := FindGPU(name)
		require.NoError(t, err)
		ridge := gpu.FLOPS / gpu.Bandwidth
		for batch := 1; batch < 512; batch += 5 {
			w := m.Decode(batch, 100)
			assert.Equal(t, w.Intensity() > ridge, w.Bound(gpu) == "compute", "%s, batch %d", name, batch)
		}
	}
}

// A prefill in chunks does the same attention as one in a single step.
func TestChunksAddUp(t *testing.T) {
	m, _ := preset(t, "H200")
	whole := m.flops(Sequence{New: 3000})
	parts := m.flops(Sequence{New: 1000}) + m.flops(Sequence{Context: 1000, New: 2000})
	assert.InEpsilon(t, whole, parts, 1e-9)
}

func TestDerated(t *testing.T) {
	m, gpu := preset(t, "H200")
	decode, prefill := m.Decode(1, 1), m.Prefill(4096)
	assert.InEpsilon(t, float64(2*decode.Floor(gpu)), float64(decode.Floor(gpu.Derated(0.5, 1))), 1e-6)
	assert.InEpsilon(t, float64(2*prefill.Floor(gpu)), float64(prefill.Floor(gpu.Derated(1, 0.5))), 1e-6)
}

func TestUnknownPreset(t *testing.T) {
	_, err := FindModel("gpt-2")
	assert.EqualError(t, err, `unknown model "gpt-2": use one of Qwen2.5-0.5B, Qwen2.5-7B, Qwen2.5-72B, Llama-3.1-8B, Llama-3.1-70B`)
	_, err = FindGPU("tpu")
	assert.EqualError(t, err, `unknown GPU "tpu": use one of A100-80GB, A100-80GB-PCIe, A100-40GB, A100-40GB-PCIe, H100, H100-PCIe, H200, L4`)
}
