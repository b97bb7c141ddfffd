package bench

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"vllmbench/client"
	"vllmbench/internal/measure"
	"vllmbench/internal/slo"
	"vllmbench/internal/trust"
)

// flags are what the command line says.
var flags = struct {
	url, model, apiKey, endpoint, extensions, gpu string

	batches, prompts, outputs, quantiles counts
	prompt, output, warmup               int

	firstToken, stall time.Duration
	limits            measure.Limits
	slo               slo.SLO
	models            shares
	seed              uint64
	rates, schedule   string
	arrivals          []pattern // that these are
	burstiness        float64
	inFlightMax       int
	metrics, progress string
	record, profile   string
	trust             trust.Trust
	modelConfig       string
	userStamps        bool
	requireLedger     bool
	explain           bool
	priority          bool
}{
	batches:   counts{1, 4, 8, 16, 32},
	prompts:   counts{10, 50, 200, 1000},
	outputs:   counts{50, 100, 200},
	quantiles: measure.DefaultQuantiles,
}

func init() {
	f := &flags
	flag.StringVar(&f.url, "url", os.Getenv("VLLM_BASE_URL"), "measure the server at `URL` (default $VLLM_BASE_URL; without it the embedded one)")
	flag.StringVar(&f.model, "model", "", "`name` of the model, as the server serves it (default its first)")
	flag.StringVar(&f.apiKey, "api-key", "", "API `key` (default $VLLM_API_KEY, which other users of this machine cannot see)")
	flag.StringVar(&f.trust.CA, "ca", "", "believe the certificates of the authority in the PEM `FILE` too (from the repository's root)")
	flag.BoolVar(&f.trust.Insecure, "insecure", false, "verify no certificate: whoever answers is believed, and gets the key")
	flag.StringVar(&f.endpoint, "endpoint", "completions", "`API` to use: completions, or chat, whose prompts are text")
	flag.StringVar(&f.extensions, "extensions", "auto", "send vLLM's own fields, which fix the output's length: on, off, or auto: if the server takes them")
	flag.StringVar(&f.gpu, "gpu", "auto", "watch the server's `GPUs`: auto, none, nvml, nvml=0,1 or dcgm=URL of the exporter on its host")
	flag.Var(&f.batches, "batches", "requests in flight, for BenchmarkThroughput")
	flag.Var(&f.prompts, "prompts", "prompt `tokens`, for BenchmarkSeqLen")
	flag.Var(&f.outputs, "outputs", "output `tokens`, for BenchmarkSeqLen")
	flag.IntVar(&f.prompt, "prompt", 200, "prompt `tokens`, for BenchmarkLatency and BenchmarkThroughput")
	flag.IntVar(&f.output, "output", 100, "output `tokens`, for BenchmarkLatency and BenchmarkThroughput")
	flag.IntVar(&f.warmup, "warmup", 1, "`operations` before each cell that are not measured (on the embedded server none)")
	flag.Var(&f.quantiles, "quantiles", "quantiles of each latency, in `percent`")
	flag.DurationVar(&f.firstToken, "first-token-timeout", 5*time.Minute, "longest wait for a first token")
	flag.DurationVar(&f.stall, "stall-timeout", time.Minute, "longest wait between two tokens")
	flag.Var(&f.limits, "limits", "other `limits` than the defaults, as NAME=NUMBER,... (-explain lists them)")
	flag.Var(&f.slo, "slo", "`objectives` of each request, as ttft:500ms,itl:50ms,e2e:10s: adds goodput-req/s and slo-% to each line")
	flag.Uint64Var(&f.seed, "seed", 1, "`number` that fixes the order of arrivals, lengths and models; what prompts say is new in every run")
	flag.BoolVar(&f.requireLedger, "require-ledger", false, "void rows that the server's counters do not prove: because it offers none or too few, or because several processes answer for them")
	flag.StringVar(&f.metrics, "metrics", "default", "`metrics` on the benchmark line: default, all, or names separated by commas")
	flag.StringVar(&f.progress, "progress", "auto", "show on the terminal how far the run is: `auto`, if there is one, or off")
	flag.StringVar(&f.record, "record", "", "save the run, every request included, in the folder `DIR` (from the repository's root)")
	flag.StringVar(&f.profile, "profile", "", "when all is measured, send one operation of each experiment through the server's profiler, and keep the traces in the folder `DIR`")
	flag.StringVar(&f.modelConfig, "model-config", "", "the model's config.json, a `FILE`, for decode-floor-% and prefill-floor-% where the model's shape is not known by its name")
	flag.BoolVar(&f.userStamps, "user-stamps", false, "stamp tokens when the client reads them, not when the kernel received them")
	flag.BoolVar(&f.priority, "priority", true, "run before other processes where the system allows it, so that no token waits for the server to give the processor up")
	flag.BoolVar(&f.explain, "explain", false, "print every limit and metric with its reason, and exit")
}

// parse reads the command line. If that is wrong it says so in one line and
// exits: behind package flag's list of all flags nobody would see it.
func parse() {
	f := flag.CommandLine
	f.Init(f.Name(), flag.ContinueOnError)
	var text bytes.Buffer
	f.SetOutput(&text)
	err := f.Parse(os.Args[1:])
	f.SetOutput(nil)
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Stderr.Write(text.Bytes())
		os.Exit(0)
	case err != nil:
		fmt.Fprintf(os.Stderr, "vllmbench: %v (-help lists all flags)\n", err)
		os.Exit(2)
	}
}

// check looks at what parse could not.
func check() error {
	f := &flags
	f.apiKey = cmp.Or(f.apiKey, os.Getenv("VLLM_API_KEY"))
	switch {
	case flag.NArg() > 0:
		return fmt.Errorf("%q is no flag, and flags behind it would be ignored: write lists without spaces, as in -batches=1,4", flag.Arg(0))
	case f.prompt < 1 || f.output < 1:
		return fmt.Errorf("-prompt and -output are %d and %d: name at least 1 token each", f.prompt, f.output)
	case f.warmup < 0:
		return fmt.Errorf("-warmup is %d: name 0 or more operations", f.warmup)
	case f.firstToken <= 0 || f.stall <= 0:
		return fmt.Errorf("-first-token-timeout and -stall-timeout are %v and %v: name times above 0", f.firstToken, f.stall)
	case f.endpoint != client.Completions.String() && f.endpoint != client.Chat.String():
		return fmt.Errorf("-endpoint is %q: name completions or chat", f.endpoint)
	case !slices.Contains([]string{"auto", "on", "off"}, f.extensions):
		return fmt.Errorf("-extensions is %q: name auto, on or off", f.extensions)
	case f.progress != "auto" && f.progress != "off":
		return fmt.Errorf("-progress is %q: name auto or off", f.progress)
	case slices.Max(f.quantiles) > 99:
		return fmt.Errorf("-quantiles holds %d: name whole percents from 1 to 99", slices.Max(f.quantiles))
	}
	if err := checkLengths(); err != nil {
		return err
	}
	for _, e := range extras {
		if err := e.check(); err != nil {
			return err
		}
	}
	_, err := shown()
	return err
}

// shown returns the metrics for the benchmark line.
func shown() ([]measure.Metric, error) {
	all := measure.Metrics(flags.quantiles)
	var out []measure.Metric
	switch flags.metrics {
	case "all":
		return all, nil
	case "default":
		for _, m := range all {
			if m.Default || showing(m.Name) {
				out = append(out, m)
			}
		}
		return out, nil
	}
	for name := range strings.SplitSeq(flags.metrics, ",") {
		i := slices.IndexFunc(all, func(m measure.Metric) bool { return m.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("-metrics names %q, which is none: -explain lists them", name)
		}
		out = append(out, all[i])
	}
	return out, nil
}

// given says whether the command line sets a flag.
func given(name string) (yes bool) {
	flag.Visit(func(f *flag.Flag) { yes = yes || f.Name == name })
	return yes
}

// counts is a list of numbers above 0, separated by commas.
type counts []int

func (c *counts) String() string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint([]int(*c)), " ", ","), "[]")
}

func (c *counts) Set(s string) error {
	var out counts
	for part := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 1 {
			return fmt.Errorf("%q is not a number above 0: name some, separated by commas", part)
		}
		if slices.Contains(out, n) {
			return fmt.Errorf("%d is named twice: name it once", n)
		}
		out = append(out, n)
	}
	*c = out
	return nil
}
