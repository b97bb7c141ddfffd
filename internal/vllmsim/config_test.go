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
		{Config{Model: "nope"}, `unknown model "nope": use one of Qwen2.5-0.5B, Qwen2.5-7B, Qwen2.5-72B, Llama-3.1-8B, Llama-3.1-70B`},
		{Config{GPU: "nope"}, `unknown GPU "nope": use one of A100-80GB, A100-80GB-PCIe, A100-40GB, A100-40GB-PCIe, H100, H100-PCIe, H200, L4`},
		{Config{MaxModelLen: 1}, "max-model-len is 1: it must be 2 or more, for a prompt and an output"},
		{Config{MaxModelLen: 40000}, "max-model-len is 40000: Qwen2.5-7B holds at most 32768 tokens"},
		{Config{MaxNumSeqs: -1}, "max-num-seqs is -1: it must be 1 or more"},
		{Config{MaxNumBatchedTokens: 100}, "max_num_batched_tokens (100) must be greater than or equal to max_num_seqs (256)"},
		{Config{GPUMemoryUtilization: 1.5}, "gpu-memory-utilization is 1.5: it must be above 0 and at most 1"},
		{Config{BlockSize: -16}, "block-size is -16: it must be 1 or more"},
		{Config{NumGPUBlocksOverride: -1}, "num-gpu-blocks-override is -1: it must be 1 or more"},
		{Config{Drift: -0.1}, "drift is -0.1: it must be a share from 0 to 10, where 0.1 is 10 % slower"},
		{Config{DriftOver: -1}, "drift-over is -1ns: it must be a time above 0"},
		{Config{TensorParallelSize: -2}, "tensor-parallel-size is -2: it must be 1 or more"},
		{Config{TensorParallelSize: 8}, "the model cannot be shared: Total number of attention heads (28) must be divisible by tensor parallel size (8)"},
		{Config{KVCacheDType: "int3"}, `kv-cache-dtype is "int3": it must be one of auto, bfloat16, float16, fp8, fp8_e4m3, fp8_e5m2`},
		{Config{SchedulingPolicy: "lifo"}, `scheduling-policy is "lifo": it must be fcfs or priority`},
		{Config{Watermark: 1}, "watermark is 1: it must be at least 0 and below 1"},
		{Config{StreamInterval: -1}, "stream-interval is -1: it must be 1 or more"},
		{Config{LongPrefillTokenThreshold: -1}, "long-prefill-token-threshold is -1: it must be 0 or more"},
		{Config{Timing: Timing{Bandwidth: 2}}, "bandwidth-share is 2: it must be above 0 and at most 1"},
		{Config{Timing: Timing{Compute: -1}}, "compute-share is -1: it must be above 0 and at most 1"},
		{Config{Timing: Timing{Request: -1}}, "step-overhead is 540µs, request-overhead -1ns and request-latency 0s: all must be 0 or more"},
		{Config{NoChunkedPrefill: true}, "max_num_batched_tokens (2048) is smaller than max_model_len (32768). This effectively limits the maximum sequence length " +
			"to max_num_batched_tokens and makes vLLM reject longer sequences. Please increase max_num_batched_tokens or decrease max_model_len"},
		{Config{NumGPUBlocksOverride: 65}, "the KV cache is too small: To serve at least one request with the model's max seq len (32768), " +
			"(1.75 GiB KV cache is needed, which is larger than the available KV cache memory (0.05 GiB). Based on the available memory, the estimated " +
			"maximum model length is 1024. Try increasing `gpu_memory_utilization` (which also controls CPU memory on the CPU backend) or decreasing " +
			"`max_model_len` when initializing the engine. See https://docs.vllm.ai/en/latest/configuration/conserving_memory/ for more details"},
		{Config{GPUMemoryUtilization: 0.1}, "the KV cache has no room: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` " +
			"when initializing the engine (this flag also controls CPU memory reservation on the CPU backend, despite its name). " +
			"See https://docs.vllm.ai/en/latest/configuration/conserving_memory/ for more details"},
	}
	for _, tt := range tests {
		_, err := New(tt.config)
		assert.EqualError(t, err, tt.want)
	}
	_, err := Config{NumGPUBlocksOverride: 65, MaxModelLen: 1024}.resolve()
	assert.NoError(t, err, "just enough, with the block that stays empty")
}

func TestKVCacheDType(t *testing.T) {
	bf16, err := Config{}.resolve()
	require.NoError(t, err)
	fp8, err := Config{KVCacheDType: "fp8"}.resolve()
	require.NoError(t, err)
	assert.InDelta(t, 2*bf16.Limits.NumBlocks, fp8.Limits.NumBlocks, 1, "half the bytes, twice the blocks")
}

func TestTensorParallel(t *testing.T) {
	_, err := Config{Model: "Llama-3.1-70B", GPU: "H100", MaxModelLen: 8192}.resolve()
	require.ErrorContains(t, err, "No available memory for the cache blocks", "141 GB of weights on one GPU of 80 GiB")

	two, err := Config{Model: "Llama-3.1-70B", GPU: "H100", TensorParallelSize: 2, MaxModelLen: 8192}.resolve()
	require.NoError(t, err)
	four, err := Config{Model: "Llama-3.1-70B", GPU: "H100", TensorParallelSize: 4, MaxModelLen: 8192}.resolve()
	require.NoError(t, err)
	assert.Greater(t, four.Limits.NumBlocks, 10*two.Limits.NumBlocks, "two GPUs are nearly full of weights")

	decode := Batch{Work: []Work{{Context: 1000, Tokens: 1, Sample: true}}, Tokens: 1}
	onTwo, onFour := newStepTimer(two).step(decode), newStepTimer(four).step(decode)
	assert.Equal(t, onTwo.work.Bytes, 2*onFour.work.Bytes)
	assert.InDelta(t, 1.6, (newStepTimer(four).allReduce(1)).Seconds()*1e3, 0.05, "160 latencies, in ms")
	assert.InDelta(t, 1.6+17.9, newStepTimer(four).allReduce(2048).Seconds()*1e3, 0.05, "and 160 times 50.3 MB a link, in ms")
	assert.Zero(t, newStepTimer(settings{Config: Config{TensorParallelSize: 1}}).allReduce(1))
	assert.Less(t, onFour.kernels, onTwo.kernels)
	assert.Greater(t, 2*onFour.kernels, onTwo.kernels, "twice the GPUs is not twice the speed")
}
