package vllmsim

import (
	"fmt"
	"strings"
	"time"

	"vllmbench/internal/roofline"
)

// Version is the vLLM version whose API and metrics the server speaks, marked
// as not being vLLM.
const Version = "0.32.0+vllmsim"

// A Config describes a server. The zero value is `vllm serve Qwen/Qwen2.5-7B`
// on an A100-80GB; zero fields have the defaults of vLLM 0.32.0.
type Config struct {
	Model           string // a roofline preset; default "Qwen/Qwen2.5-7B"
	ServedModelName string // the name in the API; default Model
	GPU             string // a roofline preset; default "A100-80GB"

	MaxModelLen         int // longest prompt and output together, tokens; default the model's own
	MaxNumSeqs          int // requests running at a time; default 256, on 70 GiB and more 1024, but for the A100
	MaxNumBatchedTokens int // tokens a step; default 2048, on 70 GiB and more 8192, but for the A100

	GPUMemoryUtilization float64 // share of GPU memory for weights, activations and KV cache, in (0, 1]; default 0.92
	BlockSize            int     // tokens a KV block; default 16
	NumGPUBlocksOverride int     // KV blocks, whatever the memory; default as the memory allows
	NoPrefixCaching      bool    // default: prefixes are cached

	NoAsyncScheduling bool   // default: a step is scheduled while the one before runs
	Timing            Timing // of steps and requests, beyond the roofline

	APIKey string // asked for on /v1; default none

	// Drift is a fault, for tests of what compares servers: over DriftOver, from
	// the first request on, steps grow slower by this share of themselves, and
	// then stay so. Default none; DriftOver is 1 minute by default.
	Drift     float64
	DriftOver time.Duration

	Faults Faults // done wrong on purpose; default none

	// SleepUntil waits for the end of a step. The default is the system's most
	// precise timer; under a test's fake clock, give RuntimeSleep.
	SleepUntil func(time.Time)
}

// activationReserve is the GPU memory, in bytes, that is neither weights nor
// KV cache: activations of the largest step and CUDA graphs. An assumption.
const activationReserve = 2 << 30

// settings are a Config's values, resolved and checked.
type settings struct {
	Config // resolved: no zero values
	Limits Limits
	model  roofline.Model
	gpu    roofline.GPU
}

func (c Config) resolve() (settings, error) {
	setDefault(&c.Model, "Qwen/Qwen2.5-7B")
	setDefault(&c.ServedModelName, c.Model)
	setDefault(&c.GPU, "A100-80GB")
	setDefault(&c.GPUMemoryUtilization, 0.92)
	setDefault(&c.BlockSize, 16)
	setDefault(&c.DriftOver, time.Minute)
	c.Timing = c.Timing.resolved()

	model, err := roofline.FindModel(c.Model)
	if err != nil {
		return settings{}, err
	}
	gpu, err := roofline.FindGPU(c.GPU)
	if err != nil {
		return settings{}, err
	}
	setDefault(&c.MaxModelLen, model.MaxPositions)
	seqs, tokens := schedulerDefaults(gpu)
	setDefault(&c.MaxNumSeqs, seqs)
	setDefault(&c.MaxNumBatchedTokens, tokens)

	s := settings{Config: c, model: model, gpu: gpu, Limits: Limits{
		MaxNumSeqs: c.MaxNumSeqs, MaxNumBatchedTokens: c.MaxNumBatchedTokens,
		BlockSize: c.BlockSize, PrefixCaching: !c.NoPrefixCaching,
	}}
	if err := s.checkRanges(); err != nil {
		return settings{}, err
	}
	s.Limits.NumBlocks = c.NumGPUBlocksOverride
	setDefault(&s.Limits.NumBlocks, s.blocksInMemory())
	return s, s.checkCapacity()
}

// schedulerDefaults are those of vLLM 0.32.0's API server (engine/arg_utils.py),
// which spares the A100: large steps cost it throughput.
func schedulerDefaults(gpu roofline.GPU) (seqs, tokens int) {
	if gpu.Memory >= 70<<30 && !strings.HasPrefix(gpu.Name, "A100") {
		return 1024, 8192
	}
	return 256, 2048
}

// blocksInMemory returns how many KV blocks the GPU's memory has room for.
func (s *settings) blocksInMemory() int {
	room := s.GPUMemoryUtilization*s.gpu.Memory - s.model.ResidentBytes() - activationReserve
	return int(room / (s.model.KVBytesPerToken() * float64(s.Limits.BlockSize)))
}

func (s *settings) checkRanges() error {
	c := s.Config
	switch {
	case c.MaxModelLen < 2:
		return fmt.Errorf("max-model-len is %d: it must be 2 or more, for a prompt and an output", c.MaxModelLen)
	case c.MaxModelLen > s.model.MaxPositions:
		return fmt.Errorf("max-model-len is %d: %s holds at most %d tokens", c.MaxModelLen, s.model.Name, s.model.MaxPositions)
	case c.MaxNumSeqs < 1:
		return fmt.Errorf("max-num-seqs is %d: it must be 1 or more", c.MaxNumSeqs)
	case c.MaxNumBatchedTokens < c.MaxNumSeqs:
		return fmt.Errorf("max-num-batched-tokens is %d: it must be at least max-num-seqs, which is %d", c.MaxNumBatchedTokens, c.MaxNumSeqs)
	case !(c.GPUMemoryUtilization > 0 && c.GPUMemoryUtilization <= 1):
		return fmt.Errorf("gpu-memory-utilization is %g: it must be above 0 and at most 1", c.GPUMemoryUtilization)
	case c.BlockSize < 1:
		return fmt.Errorf("block-size is %d: it must be 1 or more", c.BlockSize)
	case c.NumGPUBlocksOverride < 0:
		return fmt.Errorf("num-gpu-blocks-override is %d: it must be 1 or more", c.NumGPUBlocksOverride)
	case !(c.Drift >= 0 && c.Drift <= 10):
		return fmt.Errorf("drift is %g: it must be a share from 0 to 10, where 0.1 is 10 %% slower", c.Drift)
	case c.DriftOver < 0:
		return fmt.Errorf("drift-over is %v: it must be a time above 0", c.DriftOver)
	}
	return nil
}

// checkCapacity makes sure that a request of the greatest length can run alone;
// without that, preemption would not end.
func (s *settings) checkCapacity() error {
	need := (s.MaxModelLen + s.Limits.BlockSize - 1) / s.Limits.BlockSize
	if s.Limits.NumBlocks < need {
		return fmt.Errorf("max-model-len %d needs %d KV blocks and %s has room for %d: lower --max-model-len or raise --gpu-memory-utilization",
			s.MaxModelLen, need, s.gpu.Name, max(0, s.Limits.NumBlocks))
	}
	return nil
}

func setDefault[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
		*p = value
	}
}
