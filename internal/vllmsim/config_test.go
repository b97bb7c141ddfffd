package vllmsim

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDefaults(t *testing.T) {
	a100, err := Config{}.resolve()
	require.NoError(t, err)
	assert.Equal(t, "Qwen/Qwen2.5-7B", a100.ServedModelName)
	assert.Equal(t, 32768, a100.MaxModelLen)
	assert.Equal(t, Limits{MaxNumSeqs: 256, MaxNumBatchedTokens: 2048, BlockSize: 16, NumBlocks: 67191, PrefixCaching: true}, a100.Limits)

	h200, err := Config{GPU: "h200"}.resolve()
	require.NoError(t, err)
	assert.Equal(t, 1024, h200.Limits.MaxNumSeqs)
	assert.Equal(t, 8192, h200.Limits.MaxNumBatchedTokens)
	assert.Greater(t, h200.Limits.NumBlocks, a100.Limits.NumBlocks)
}

func TestConfigErrors(t *testing.T) {
	tests := []struct {
		config Config
		want   string
	}{
		{Config{Model: "nope"}, `unknown model "nope": use one of Qwen2.5-7B`},
		{Config{GPU: "nope"}, `unknown GPU "nope": use one of A100-80GB, A100-80GB-PCIe, A100-40GB, A100-40GB-PCIe, H100, H100-PCIe, H200, L4`},
		{Config{MaxModelLen: 1}, "max-model-len is 1: it must be 2 or more, for a prompt and an output"},
		{Config{MaxModelLen: 40000}, "max-model-len is 40000: Qwen2.5-7B holds at most 32768 tokens"},
		{Config{MaxNumSeqs: -1}, "max-num-seqs is -1: it must be 1 or more"},
		{Config{MaxNumBatchedTokens: 100}, "max-num-batched-tokens is 100: it must be at least max-num-seqs, which is 256"},
		{Config{GPUMemoryUtilization: 1.5}, "gpu-memory-utilization is 1.5: it must be above 0 and at most 1"},
		{Config{BlockSize: -16}, "block-size is -16: it must be 1 or more"},
		{Config{NumGPUBlocksOverride: -1}, "num-gpu-blocks-override is -1: it must be 1 or more"},
		{Config{Drift: -0.1}, "drift is -0.1: it must be a share from 0 to 10, where 0.1 is 10 % slower"},
		{Config{DriftOver: -1}, "drift-over is -1ns: it must be a time above 0"},
		{Config{NumGPUBlocksOverride: 64}, "max-model-len 32768 needs 2048 KV blocks and A100-80GB has room for 64: " +
			"lower --max-model-len or raise --gpu-memory-utilization"},
		{Config{GPUMemoryUtilization: 0.1}, "max-model-len 32768 needs 2048 KV blocks and A100-80GB has room for 0: " +
			"lower --max-model-len or raise --gpu-memory-utilization"},
	}
	for _, tt := range tests {
		_, err := New(tt.config)
		assert.EqualError(t, err, tt.want)
	}
	_, err := Config{NumGPUBlocksOverride: 64, MaxModelLen: 1024}.resolve()
	assert.NoError(t, err, "just enough")
}
