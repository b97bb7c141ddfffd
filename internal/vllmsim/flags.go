package vllmsim

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
)

type options struct {
	Config
	host          string
	port          int
	exitWithStdin bool
}

// parseFlags reads vLLM's flags, and this server's own. What is wrong with
// them is on stderr by the time that it returns.
func parseFlags(args []string, stderr io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("vllmsim", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.host, "host", "127.0.0.1", "listen on this `address`")
	f.IntVar(&o.port, "port", 8000, "listen on this `port`; 0 takes a free one")
	f.StringVar(&o.APIKey, "api-key", "", "ask for this `key` on /v1")
	o.Config.addModelFlags(f)
	o.Config.addCacheFlags(f)
	o.Config.addSchedulerFlags(f)
	o.Config.addOwnFlags(f)
	f.BoolVar(&o.exitWithStdin, "exit-with-stdin", false, "stop when standard input closes")
	if unknown := unknownFlag(f, args); unknown != nil {
		fmt.Fprintf(stderr, "vllmsim: %v\n", unknown)
		return o, unknown
	}
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		fmt.Fprintf(stderr, "vllmsim: unexpected argument %q: give flags only, see -h\n", f.Arg(0))
		return o, errors.New("unexpected argument")
	}
	return o, nil
}

func (c *Config) addModelFlags(f *flag.FlagSet) {
	f.StringVar(&c.Model, "model", "", "`name` of the model to simulate (default Qwen/Qwen2.5-7B)")
	f.StringVar(&c.ServedModelName, "served-model-name", "", "`name` of the model in the API (default the model's)")
	f.BoolVar(&c.EnableLoRA, "enable-lora", false, "serve adapters of the model; their cost is not simulated")
	f.Func("lora-modules", "serve this adapter, as `name=path`; may be repeated", c.addAdapter)
	f.StringVar(&c.GPU, "gpu", "", "`name` of the GPU to simulate (default A100-80GB)")
	f.IntVar(&c.TensorParallelSize, "tensor-parallel-size", 0, "`GPUs` that share each layer (default 1)")
	f.IntVar(&c.MaxModelLen, "max-model-len", 0, "longest prompt and output together, in `tokens` (default the model's)")
}

func (c *Config) addCacheFlags(f *flag.FlagSet) {
	f.Float64Var(&c.GPUMemoryUtilization, "gpu-memory-utilization", 0, "`share` of GPU memory to use (default 0.92)")
	f.IntVar(&c.BlockSize, "block-size", 0, "`tokens` in a KV block (default 16)")
	f.IntVar(&c.NumGPUBlocksOverride, "num-gpu-blocks-override", 0, "KV `blocks`, whatever the memory")
	f.StringVar(&c.KVCacheDType, "kv-cache-dtype", "", "`type` of keys and values: auto, float16, bfloat16, fp8, fp8_e4m3 or fp8_e5m2 (default auto)")
	onByDefault(f, &c.NoPrefixCaching, "enable-prefix-caching", "share the KV blocks of equal prefixes")
}

func (c *Config) addSchedulerFlags(f *flag.FlagSet) {
	f.IntVar(&c.MaxNumSeqs, "max-num-seqs", 0, "`requests` running at a time (default by GPU)")
	f.IntVar(&c.MaxNumBatchedTokens, "max-num-batched-tokens", 0, "`tokens` in a step (default by GPU)")
	f.IntVar(&c.LongPrefillTokenThreshold, "long-prefill-token-threshold", 0, "most `tokens` of one request in a step, while there are others (default no bound)")
	f.BoolVar(&c.LongPrefillTokenThresholdAdaptive, "long-prefill-token-threshold-adaptive", false, "do not bound it to less than a fair share of the step")
	f.StringVar(&c.SchedulingPolicy, "scheduling-policy", "", "`order` of requests: fcfs or priority (default fcfs)")
	f.Float64Var(&c.Watermark, "watermark", 0, "`share` of KV blocks that an admission leaves free while others run (default 0)")
	f.IntVar(&c.StreamInterval, "stream-interval", 0, "`tokens` in an event of a stream, but for the first (default 1)")
	f.BoolVar(&c.EnableMFUMetrics, "enable-mfu-metrics", false, "count estimated operations and bytes in the metrics")
	onByDefault(f, &c.NoChunkedPrefill, "enable-chunked-prefill", "cut prompts into chunks that fit into steps")
	onByDefault(f, &c.NoReserveFullISL, "scheduler-reserve-full-isl", "admit a request only if all its tokens fit into the KV cache")
	onByDefault(f, &c.NoAsyncScheduling, "async-scheduling", "schedule a step while the one before runs")
}

// addOwnFlags adds those that vLLM has not.
func (c *Config) addOwnFlags(f *flag.FlagSet) {
	f.Float64Var(&c.Drift, "drift", 0, "a fault, to test what compares servers: grow slower by this `share`, as 0.1, over --drift-over (default none)")
	f.DurationVar(&c.DriftOver, "drift-over", 0, "`time` in which --drift comes to its full, from the first request on (default 1m)")
	f.Float64Var(&c.Timing.Bandwidth, "bandwidth-share", 0, "`share` of the GPU's peak at which a step's bytes move (default 0.786)")
	f.Float64Var(&c.Timing.Compute, "compute-share", 0, "`share` of the GPU's peak at which a step's operations run (default 0.66)")
	f.DurationVar(&c.Timing.Step, "step-overhead", 0, "`time` that the CPU needs for a step (default 540us)")
	f.DurationVar(&c.Timing.Request, "request-overhead", 0, "CPU `time` of the API server for a request, shared by those that come together (default none)")
	f.DurationVar(&c.Timing.Latency, "request-latency", 0, "`time` that passes besides before the engine has a request (default none)")
	c.Faults.addFlags(f)
}

// onByDefault adds the flag and its negation, as Python's
// BooleanOptionalAction does: --enable-x and --no-enable-x.
func onByDefault(f *flag.FlagSet, off *bool, name, usage string) {
	f.BoolFunc(name, usage+" (default)", func(s string) error {
		on, err := strconv.ParseBool(s)
		*off = !on
		return err
	})
	f.BoolVar(off, "no-"+name, false, "the opposite of --"+name)
}

// unknownFlag names the nearest of f's flags to the first of args that is none
// of them, as far as that can be told before values are parsed.
func unknownFlag(f *flag.FlagSet, args []string) error {
	for _, arg := range args {
		name, isFlag := strings.CutPrefix(arg, "--")
		name, _, _ = strings.Cut(name, "=")
		if !isFlag || name == "" || name == "help" || f.Lookup(name) != nil {
			continue
		}
		nearest, least := "", len(name)
		f.VisitAll(func(known *flag.Flag) {
			if d := distance(name, known.Name); d < least {
				nearest, least = known.Name, d
			}
		})
		if least > len(name)/2 {
			return fmt.Errorf("there is no flag --%s: see -h", name)
		}
		return fmt.Errorf("there is no flag --%s: did you mean --%s?", name, nearest)
	}
	return nil
}

// distance is the least number of letters to insert, delete or change that
// make a into b (Levenshtein 1966).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
