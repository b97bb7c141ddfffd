package roofline

import (
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

func TestStep(t *testing.T) {
	decode := func(batch, context int) []Sequence {
		seqs := make([]Sequence, batch)
		for i := range seqs {
			seqs[i] = Sequence{Context: context - 1, New: 1, Sample: true}
		}
		return seqs
	}
	prefill := func(n int) []Sequence { return []Sequence{{New: n, Sample: true}} }
	tests := []struct {
		name, gpu string
		seqs      []Sequence
		ms        float64
	}{
		{"nothing", "H200", nil, 0},
		{"decode alone", "A100-80GB", decode(1, 1), 6.94},
		{"decode 1 at 1k", "A100-80GB", decode(1, 1024), 6.96},
		{"decode 8 at 1k", "A100-80GB", decode(8, 1024), 7.17},
		{"decode 32 at 1k", "A100-80GB", decode(32, 1024), 7.86},
		{"decode 32 at 8k", "A100-80GB", decode(32, 8192), 14.31},
		{"prefill 1k", "A100-80GB", prefill(1024), 43.5},
		{"prefill 4k", "A100-80GB", prefill(4096), 182},
		{"decode alone", "H200", decode(1, 1), 2.95},
		{"decode 32 at 1k", "H200", decode(32, 1024), 3.34},
		{"decode 32 at 8k", "H200", decode(32, 8192), 6.08},
		{"prefill 1k", "H200", prefill(1024), 13.7},
		{"prefill 4k", "H200", prefill(4096), 57.4},
	}
	for _, tt := range tests {
		t.Run(tt.gpu+"/"+tt.name, func(t *testing.T) {
			m, gpu := preset(t, tt.gpu)
			got := Step(m, gpu, tt.seqs)
			assert.InDelta(t, tt.ms, float64(got)/float64(time.Millisecond), 0.005+0.005*tt.ms)
		})
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
	one := []Sequence{{New: 1, Sample: true}}
	assert.InEpsilon(t, float64(2*Step(m, gpu, one)), float64(Step(m, gpu.Derated(0.5, 1), one)), 1e-6)
	long := []Sequence{{New: 4096}}
	assert.InEpsilon(t, float64(2*Step(m, gpu, long)), float64(Step(m, gpu.Derated(1, 0.5), long)), 1e-6)
}

func TestUnknownPreset(t *testing.T) {
	_, err := FindModel("gpt-2")
	assert.EqualError(t, err, `unknown model "gpt-2": use one of Qwen2.5-7B`)
	_, err = FindGPU("tpu")
	assert.EqualError(t, err, `unknown GPU "tpu": use one of A100-80GB, H200`)
}
