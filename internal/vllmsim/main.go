package vllmsim

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

// Main runs a server as `vllmbench sim` does, with vLLM's flags, until it is
// told to stop. It returns the exit status: 0, 1 for a failure, 2 for bad usage.
func Main(args []string, stdout, stderr io.Writer) int {
	o, err := parseFlags(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if o.exitWithStdin {
		ctx = untilEOF(ctx, os.Stdin)
	}
	if err := serveUntil(ctx, o, stdout); err != nil {
		fmt.Fprintf(stderr, "vllmsim: %v\n", err)
		return 1
	}
	return 0
}

type options struct {
	Config
	host          string
	port          int
	exitWithStdin bool
}

func parseFlags(args []string, stderr io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("vllmsim", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.host, "host", "127.0.0.1", "listen on this `address`")
	f.IntVar(&o.port, "port", 8000, "listen on this `port`; 0 takes a free one")
	f.StringVar(&o.Model, "model", "", "`name` of the model to simulate (default Qwen/Qwen2.5-7B)")
	f.StringVar(&o.ServedModelName, "served-model-name", "", "`name` of the model in the API (default the model's)")
	f.StringVar(&o.GPU, "gpu", "", "`name` of the GPU to simulate (default A100-80GB)")
	f.IntVar(&o.MaxModelLen, "max-model-len", 0, "longest prompt and output together, in `tokens` (default the model's)")
	f.IntVar(&o.MaxNumSeqs, "max-num-seqs", 0, "`requests` running at a time (default by GPU)")
	f.IntVar(&o.MaxNumBatchedTokens, "max-num-batched-tokens", 0, "`tokens` in a step (default by GPU)")
	f.Float64Var(&o.GPUMemoryUtilization, "gpu-memory-utilization", 0, "`share` of GPU memory to use (default 0.92)")
	f.IntVar(&o.BlockSize, "block-size", 0, "`tokens` in a KV block (default 16)")
	f.IntVar(&o.NumGPUBlocksOverride, "num-gpu-blocks-override", 0, "KV `blocks`, whatever the memory")
	f.BoolFunc("enable-prefix-caching", "share the KV blocks of equal prefixes (default)", func(s string) error {
		on, err := strconv.ParseBool(s)
		o.NoPrefixCaching = !on
		return err
	})
	f.BoolVar(&o.NoPrefixCaching, "no-enable-prefix-caching", false, "compute every prompt in full")
	f.StringVar(&o.APIKey, "api-key", "", "ask for this `key` on /v1")
	f.Float64Var(&o.Drift, "drift", 0, "a fault, to test what compares servers: grow slower by this `share`, as 0.1, over --drift-over (default none)")
	f.DurationVar(&o.DriftOver, "drift-over", 0, "`time` in which --drift comes to its full, from the first request on (default 1m)")
	o.Faults.addFlags(f)
	f.BoolVar(&o.exitWithStdin, "exit-with-stdin", false, "stop when standard input closes")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		fmt.Fprintf(stderr, "vllmsim: unexpected argument %q: give flags only, see -h\n", f.Arg(0))
		return o, errors.New("unexpected argument")
	}
	return o, nil
}

func serveUntil(ctx context.Context, o options, stdout io.Writer) error {
	s, err := New(o.Config)
	if err != nil {
		return err
	}
	defer s.Close()
	l, err := net.Listen("tcp", net.JoinHostPort(o.host, strconv.Itoa(o.port)))
	if err != nil {
		return fmt.Errorf("cannot listen, choose another --host or --port: %w", err)
	}
	fmt.Fprintf(stdout, "vllmsim: listening on http://%s (model %s on %s)\n", l.Addr(), s.ServedModelName, s.GPU)
	if s.Drift != 0 {
		fmt.Fprintf(stdout, "vllmsim: a fault is on: steps drift to %g %% slower over %v from the first request on\n", 100*s.Drift, s.DriftOver)
	}
	if on := s.Faults.String(); on != "" {
		fmt.Fprintf(stdout, "vllmsim: faults are on: %s\n", on)
	}
	stopped := context.AfterFunc(ctx, func() { s.Close() })
	defer stopped()
	return s.Serve(l)
}

// untilEOF ends a context when r does, as a child's standard input does when
// its parent dies.
func untilEOF(ctx context.Context, r io.Reader) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		io.Copy(io.Discard, r) // how it ended does not matter
	}()
	return ctx
}
