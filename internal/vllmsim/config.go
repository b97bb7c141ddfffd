package vllmsim

import (
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

	EnableLoRA  bool          // default: adapters are refused
	LoRAModules []LoRAAdapter // served beside the model, by names of their own; default none

	TensorParallelSize int // GPUs that share each layer; default 1

	MaxModelLen         int // longest prompt and output together, tokens; default the model's own
	MaxNumSeqs          int // requests running at a time; default 256, on 70 GiB and more 1024, but for the A100
	MaxNumBatchedTokens int // tokens a step; default 2048, on 70 GiB and more 8192, but for the A100

	GPUMemoryUtilization float64 // share of GPU memory for weights, activations and KV cache, in (0, 1]; default 0.92
	BlockSize            int     // tokens a KV block; default 16
	NumGPUBlocksOverride int     // KV blocks, whatever the memory; default as the memory allows
	NoPrefixCaching      bool    // default: prefixes are cached
	KVCacheDType         string  // auto, float16, bfloat16, fp8, fp8_e4m3 or fp8_e5m2; default auto, which is the weights'

	LongPrefillTokenThreshold         int     // most tokens of one request in a step, while there are others; default no bound
	LongPrefillTokenThresholdAdaptive bool    // do not bound it to less than a fair share of the step
	SchedulingPolicy                  string  // fcfs or priority; default fcfs
	Watermark                         float64 // share of KV blocks that an admission leaves free while others run, in [0, 1); default 0
	StreamInterval                    int     // tokens in an event of a stream, but for the first; default 1
	NoChunkedPrefill                  bool    // default: prompts are cut into chunks that fit into steps
	NoReserveFullISL                  bool    // default: a request is admitted only if all its tokens fit into the KV cache
	NoAsyncScheduling                 bool    // default: a step is scheduled while the one before runs

	EnableMFUMetrics bool // default: estimated operations and bytes stay at 0

	Timing Timing // of steps and requests, beyond the roofline

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
	setDefault(&c.TensorParallelSize, 1)
	setDefault(&c.KVCacheDType, "auto")
	setDefault(&c.SchedulingPolicy, "fcfs")
	setDefault(&c.StreamInterval, 1)
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

	s := settings{Config: c, model: model, gpu: gpu, Limits: c.limits()}
	if err := s.checkRanges(); err != nil {
		return settings{}, err
	}
	if kvBytes := kvDTypes()[c.KVCacheDType]; kvBytes > 0 {
		s.model.BytesPerKV = kvBytes
	}
	if s.Limits.NumBlocks == 0 {
		s.Limits.NumBlocks = int(s.cacheBytes() / s.blockBytes())
	}
	s.Limits.WatermarkBlocks = int(c.Watermark * float64(s.Limits.NumBlocks))
	return s, s.checkCapacity()
}

func (c Config) limits() Limits {
	return Limits{
		MaxNumSeqs: c.MaxNumSeqs, MaxNumBatchedTokens: c.MaxNumBatchedTokens,
		BlockSize: c.BlockSize, NumBlocks: c.NumGPUBlocksOverride, PrefixCaching: !c.NoPrefixCaching,
		Priority: c.SchedulingPolicy == "priority", WholePrompts: c.NoChunkedPrefill, FirstChunkOnly: c.NoReserveFullISL,
		LongPrefill: c.LongPrefillTokenThreshold, LongPrefillAdaptive: c.LongPrefillTokenThresholdAdaptive,
	}
}

// schedulerDefaults are those of vLLM 0.32.0's API server (engine/arg_utils.py),
// which spares the A100: large steps cost it throughput.
func schedulerDefaults(gpu roofline.GPU) (seqs, tokens int) {
	if gpu.Memory >= 70<<30 && !strings.HasPrefix(gpu.Name, "A100") {
		return 1024, 8192
	}
	return 256, 2048
}

func setDefault[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
		*p = value
	}
}
