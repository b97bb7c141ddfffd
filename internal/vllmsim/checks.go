package vllmsim

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// kvDTypes are the types of keys and values, with their bytes; 0 for the weights' own.
func kvDTypes() map[string]int {
	return map[string]int{"auto": 0, "float16": 2, "bfloat16": 2, "fp8": 1, "fp8_e4m3": 1, "fp8_e5m2": 1}
}

// checkRanges refuses values that no server can work with. Texts of conflicts
// between flags are vLLM's.
func (s *settings) checkRanges() error {
	c := s.Config
	switch {
	case c.MaxModelLen < 2:
		return fmt.Errorf("max-model-len is %d: it must be 2 or more, for a prompt and an output", c.MaxModelLen)
	case c.MaxModelLen > s.model.MaxPositions:
		return fmt.Errorf("max-model-len is %d: %s holds at most %d tokens", c.MaxModelLen, s.model.Name, s.model.MaxPositions)
	case c.TensorParallelSize < 1:
		return fmt.Errorf("tensor-parallel-size is %d: it must be 1 or more", c.TensorParallelSize)
	case s.model.Heads%c.TensorParallelSize != 0:
		return fmt.Errorf("the model cannot be shared: Total number of attention heads (%d) must be divisible by tensor parallel size (%d)", s.model.Heads, c.TensorParallelSize)
	case c.MaxNumSeqs < 1:
		return fmt.Errorf("max-num-seqs is %d: it must be 1 or more", c.MaxNumSeqs)
	case c.MaxNumBatchedTokens < c.MaxNumSeqs:
		return fmt.Errorf("max_num_batched_tokens (%d) must be greater than or equal to max_num_seqs (%d)", c.MaxNumBatchedTokens, c.MaxNumSeqs)
	case c.NoChunkedPrefill && c.MaxNumBatchedTokens < c.MaxModelLen:
		return fmt.Errorf("max_num_batched_tokens (%d) is smaller than max_model_len (%d). This effectively limits the maximum sequence length "+
			"to max_num_batched_tokens and makes vLLM reject longer sequences. Please increase max_num_batched_tokens or decrease max_model_len",
			c.MaxNumBatchedTokens, c.MaxModelLen)
	case c.LongPrefillTokenThreshold < 0:
		return fmt.Errorf("long-prefill-token-threshold is %d: it must be 0 or more", c.LongPrefillTokenThreshold)
	case c.SchedulingPolicy != "fcfs" && c.SchedulingPolicy != "priority":
		return fmt.Errorf("scheduling-policy is %q: it must be fcfs or priority", c.SchedulingPolicy)
	case !(c.Watermark >= 0 && c.Watermark < 1):
		return fmt.Errorf("watermark is %g: it must be at least 0 and below 1", c.Watermark)
	case c.StreamInterval < 1:
		return fmt.Errorf("stream-interval is %d: it must be 1 or more", c.StreamInterval)
	case !(c.Drift >= 0 && c.Drift <= 10):
		return fmt.Errorf("drift is %g: it must be a share from 0 to 10, where 0.1 is 10 %% slower", c.Drift)
	case c.DriftOver < 0:
		return fmt.Errorf("drift-over is %v: it must be a time above 0", c.DriftOver)
	}
	return cmp.Or(s.checkCache(), s.checkAdapters(), c.Timing.check())
}

func (s *settings) checkCache() error {
	c := s.Config
	_, known := kvDTypes()[c.KVCacheDType]
	switch {
	case !(c.GPUMemoryUtilization > 0 && c.GPUMemoryUtilization <= 1):
		return fmt.Errorf("gpu-memory-utilization is %g: it must be above 0 and at most 1", c.GPUMemoryUtilization)
	case c.BlockSize < 1:
		return fmt.Errorf("block-size is %d: it must be 1 or more", c.BlockSize)
	case c.NumGPUBlocksOverride < 0:
		return fmt.Errorf("num-gpu-blocks-override is %d: it must be 1 or more", c.NumGPUBlocksOverride)
	case !known:
		return fmt.Errorf("kv-cache-dtype is %q: it must be one of %s", c.KVCacheDType, strings.Join(slices.Sorted(maps.Keys(kvDTypes())), ", "))
	}
	return nil
}

func (t Timing) check() error {
	switch {
	case !(t.Bandwidth > 0 && t.Bandwidth <= 1):
		return fmt.Errorf("bandwidth-share is %g: it must be above 0 and at most 1", t.Bandwidth)
	case !(t.Compute > 0 && t.Compute <= 1):
		return fmt.Errorf("compute-share is %g: it must be above 0 and at most 1", t.Compute)
	case t.Step < 0 || t.Request < 0 || t.Latency < 0:
		return fmt.Errorf("step-overhead is %v, request-overhead %v and request-latency %v: all must be 0 or more", t.Step, t.Request, t.Latency)
	}
	return nil
}

// activationReserve is the GPU memory, in bytes, that is neither weights nor
// KV cache: activations of the largest step and CUDA graphs. An assumption.
const activationReserve = 2 << 30

// cacheBytes returns how much of each GPU's memory is left for keys and values.
func (s *settings) cacheBytes() float64 {
	return s.GPUMemoryUtilization*s.gpu.Memory - s.weightBytes() - activationReserve
}

// weightBytes returns how much of each GPU's memory the weights take.
func (s *settings) weightBytes() float64 {
	return s.model.ResidentBytes() / float64(s.TensorParallelSize)
}

// blockBytes returns how much of each GPU's memory a KV block takes. A GPU has
// one key and value head at least: more GPUs than heads hold copies.
func (s *settings) blockBytes() float64 {
	share := min(s.TensorParallelSize, s.model.KVHeads)
	return s.model.KVBytesPerToken() / float64(share) * float64(s.Limits.BlockSize)
}

// checkCapacity makes sure that a request of the greatest length can run alone;
// without that, preemption would not end. The texts are vLLM 0.32.0's
// (v1/core/kv_cache_utils.py), which plans without the block that stays empty.
func (s *settings) checkCapacity() error {
	usable := float64(s.Limits.NumBlocks-1) * s.blockBytes()
	if s.NumGPUBlocksOverride == 0 {
		usable = s.cacheBytes() - s.blockBytes()
	}
	if usable <= 0 {
		return fmt.Errorf("the KV cache has no room: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine " +
			"(this flag also controls CPU memory reservation on the CPU backend, despite its name). See " + conserving)
	}
	blocks := math.Ceil(float64(s.MaxModelLen) / float64(s.Limits.BlockSize))
	if needed := blocks * s.blockBytes(); needed > usable {
		longest := int(usable/s.blockBytes()) * s.Limits.BlockSize
		estimate := ""
		if longest > 0 {
			estimate = fmt.Sprintf("Based on the available memory, the estimated maximum model length is %d. ", longest)
		}
		return fmt.Errorf("the KV cache is too small: To serve at least one request with the model's max seq len (%d), (%s GiB KV cache is needed, which is larger than "+
			"the available KV cache memory (%s GiB). %sTry increasing `gpu_memory_utilization` (which also controls CPU memory on the CPU "+
			"backend) or decreasing `max_model_len` when initializing the engine. See "+conserving, s.MaxModelLen, gib(needed), gib(usable), estimate)
	}
	return nil
}

const conserving = "https://docs.vllm.ai/en/latest/configuration/conserving_memory/ for more details"

// gib writes bytes as vLLM does: in GiB, rounded to two decimals.
func gib(bytes float64) string {
	text := fmt.Sprintf("%.2f", bytes/(1<<30))
	if text = strings.TrimRight(text, "0"); strings.HasSuffix(text, ".") {
		text += "0"
	}
	return text
}
