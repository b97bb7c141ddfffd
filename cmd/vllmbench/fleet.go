package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"vllmbench/internal/fleet"
	"vllmbench/internal/vllmsim"
)

type fleetOptions struct {
	fleet.Sweep
	pictures string
	plan     bool
	target   fleet.Target
	each     fleet.Instance
}

// listFlag adds a flag whose value is a list with commas.
func listFlag[T any](f *flag.FlagSet, list *[]T, name, usage string, parse func(string) (T, error)) {
	f.Func(name, usage, func(text string) error {
		*list = nil
		for word := range strings.SplitSeq(text, ",") {
			v, err := parse(strings.TrimSpace(word))
			if err != nil {
				return err
			}
			*list = append(*list, v)
		}
		return nil
	})
}

func parseFleet(args []string, stderr io.Writer) (o fleetOptions, err error) {
	f := flag.NewFlagSet("vllmbench fleet", flag.ContinueOnError)
	f.SetOutput(stderr)
	o.Replicas, o.Loads = []int{10}, []float64{0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1}
	o.Routers = []fleet.Router{{Policy: "round-robin"}, {Policy: "random"}, {Policy: "two-choices"}, {Policy: "least-loaded"}, {Policy: "prefix"}}
	listFlag(f, &o.Replicas, "replicas", "`numbers` of replicas (default 10)", strconv.Atoi)
	listFlag(f, &o.Routers, "routers", "routing `policies`, each with @STALE behind it if the router sees loads only that often (default round-robin,random,two-choices,least-loaded,prefix)", fleet.ParseRouter)
	listFlag(f, &o.Loads, "loads", "arrivals as `shares` of what the replicas could serve (default 0.5,0.6,0.7,0.8,0.9,1,1.1)", func(s string) (float64, error) { return strconv.ParseFloat(s, 64) })
	o.Config.SLO.TTFT, o.Config.SLO.ITL = time.Second, 100*time.Millisecond
	f.Var(&o.Config.SLO, "slo", "`objectives` that goodput counts by")
	f.DurationVar(&o.Config.Warmup, "warmup", 30*time.Second, "simulated `time` before requests count")
	server(f, &o.Config.Server)
	workload(f, &o.Workload)
	f.StringVar(&o.pictures, "o", "", "also draw TTFT and goodput over load into this `folder`")
	f.BoolVar(&o.plan, "plan", false, "say how many client instances a load needs, and simulate nothing")
	f.Float64Var(&o.target.Rate, "rate", 0, "of -plan: `requests` a second")
	f.DurationVar(&o.target.E2E, "e2e", 0, "of -plan: mean `time` of a request")
	f.Float64Var(&o.target.Output, "answer", 0, "of -plan: mean `tokens` of an answer")
	f.Float64Var(&o.each.Streams, "streams-each", 0, "of -plan: `streams` that an instance can measure, as vllmbench calibrate says")
	f.Float64Var(&o.each.Tokens, "tokens-each", 0, "of -plan: `tokens` a second that an instance can measure, as vllmbench calibrate says")
	f.Usage = func() { fleetUsage(f, stderr) }
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q: give flags only", f.Arg(0))
		fmt.Fprintf(stderr, "vllmbench fleet: %v\n", err)
	}
	return o, err
}

func fleetUsage(f *flag.FlagSet, stderr io.Writer) {
	fmt.Fprint(stderr, "usage: vllmbench fleet [flags]\n\nSimulates replicas of the embedded server behind a router, in virtual time: what users\n"+
		"see as load and fleet grow. With -plan it says how many client instances a load needs.\n\nRouting policies:\n")
	names, meanings := fleet.Policies()
	for i := range names {
		fmt.Fprintf(stderr, "  %-13s %s\n", names[i], meanings[i])
	}
	fmt.Fprintln(stderr)
	f.PrintDefaults()
}

func server(f *flag.FlagSet, s *vllmsim.Config) {
	f.StringVar(&s.Model, "model", "Qwen2.5-7B", "`name` of the replicas' model")
	f.StringVar(&s.GPU, "gpu", "L4", "`name` of the replicas' GPU")
	f.IntVar(&s.TensorParallelSize, "tensor-parallel-size", 1, "`GPUs` of a replica")
	f.IntVar(&s.MaxNumSeqs, "max-num-seqs", 64, "`requests` that a replica runs at a time")
	f.IntVar(&s.MaxModelLen, "max-model-len", 8192, "longest prompt and output together, in `tokens`")
}

func workload(f *flag.FlagSet, w *fleet.Workload) {
	f.DurationVar(&w.For, "for", 2*time.Minute, "simulated `time` in which requests come, warm-up included")
	f.Float64Var(&w.Burstiness, "burstiness", 1, "`shape` of the gamma distribution of gaps: 1 is Poisson, less is burstier")
	f.Uint64Var(&w.Seed, "seed", 1, "`number` that fixes what is drawn")
	w.Prompt, w.Output, w.Prefix = fleet.Lengths{Sigma: 0.8, Most: 2000}, fleet.Lengths{Sigma: 0.7, Most: 1000}, fleet.Lengths{Sigma: 0.5, Most: 2000}
	f.Float64Var(&w.Prompt.Median, "prompt", 200, "median `tokens` of what the user writes in a turn (lognormal)")
	f.Float64Var(&w.Output.Median, "output", 100, "median `tokens` of an answer (lognormal)")
	f.Float64Var(&w.Prefix.Median, "prefix", 400, "median `tokens` of a shared prefix (lognormal)")
	f.IntVar(&w.Prefixes, "prefixes", 10, "shared `prefixes` for each replica; 0 for none")
	f.Float64Var(&w.Zipf, "zipf", 1, "`exponent` of the popularity of prefixes")
	f.Float64Var(&w.Turns, "turns", 3, "mean `number` of turns of a conversation")
	f.DurationVar(&w.Think, "think", 20*time.Second, "mean `time` from a turn to the next")
	w.Context = 6000
}

// simulateFleet prints what users of a fleet see, or how many clients a load needs.
func simulateFleet(args []string, stdout, stderr io.Writer) int {
	o, err := parseFleet(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	if o.plan {
		err = o.printPlan(stdout)
	} else {
		err = o.print(stdout)
	}
	if err != nil {
		fmt.Fprintf(stderr, "vllmbench fleet: %v\n", err)
		return 1
	}
	return 0
}

func (o fleetOptions) print(w io.Writer) error {
	capacity, points, err := o.Run()
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "simulated: %s on %s, %d requests at a time; a replica alone serves %.3g requests a second; SLO %s\n\n",
		o.Config.Server.Model, o.Config.Server.GPU, o.Config.Server.MaxNumSeqs, capacity, o.Config.SLO)
	if err := fleet.Write(w, points); err != nil || o.pictures == "" {
		return err
	}
	return drawFleet(o.pictures, points, o.Config.SLO.String(), w)
}

func (o fleetOptions) printPlan(w io.Writer) error {
	n, err := fleet.Plan(o.target, o.each)
	if err != nil {
		return err
	}
	instances := "1 instance"
	if n.Instances > 1 {
		instances = fmt.Sprintf("%d instances", n.Instances)
	}
	fmt.Fprintf(w, "%.0f streams in flight, which take %.3g instances; %.0f tok/s, which take %.3g: %s\n", n.Streams, n.ByStreams, n.Tokens, n.ByTokens, instances)
	return nil
}
