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
