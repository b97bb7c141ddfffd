package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"vllmbench/internal/monitor"
)

// watch shows a GPU and a server while they work. It returns 1 if there is
// nothing to watch or an argument is wrong.
func watch(args []string, stdout, stderr io.Writer) int {
	c := monitor.Config{APIKey: os.Getenv("VLLM_API_KEY")}
	flags := flag.NewFlagSet("monitor", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // Parse prints every error with the whole usage
	flags.StringVar(&c.URL, "url", os.Getenv("VLLM_BASE_URL"), "watch the server at `URL` (default $VLLM_BASE_URL; its key is in $VLLM_API_KEY)")
	flags.StringVar(&c.GPU, "gpu", "", "take GPU figures from `SOURCE`: auto, none, nvml, nvml=0,1 or dcgm=URL (default auto; the embedded server's own)")
	flags.DurationVar(&c.Interval, "interval", 0, "read every `TIME` (default 1s, at least 200ms)")
	flags.StringVar(&c.Log, "log", "", "write a CSV timeline to `FILE`")
	flags.BoolVar(&c.Force, "force", false, "let -log overwrite a file")
	flags.StringVar(&c.Trust.CA, "ca", "", "believe the certificates of the authority in the PEM `FILE` too")
	flags.BoolVar(&c.Trust.Insecure, "insecure", false, "verify no certificate: whoever answers is believed, and gets the key")
	flags.BoolVar(&c.Plain, "plain", false, "print lines instead of a screen, as for a pipe")
	flags.BoolVar(&c.NoColour, "no-color", os.Getenv("NO_COLOR") != "", "use no colour (default if $NO_COLOR is set)")
	flags.Usage = func() {}
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, "usage: vllmbench monitor [flags]\n\n"+
			"Shows what a vLLM server and its GPU do, side by side, until q or ctrl-c.\n"+
			"It only reads pages of metrics, so it may run beside a benchmark.\n\n")
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return 0
	}
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q: give flags only, see -h", flags.Arg(0))
	}
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		err = monitor.Run(ctx, c, stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, "vllmbench monitor:", err)
		return 1
	}
	return 0
}
