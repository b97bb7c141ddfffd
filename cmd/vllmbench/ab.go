package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"vllmbench/internal/ab"
	"vllmbench/internal/trust"
)

const abUsage = `usage: vllmbench ab -a URL -b URL [flags] [-- flags of the benchmarks]
       vllmbench ab -url URL -switch-a CMD -switch-b CMD [flags] [-- flags of the benchmarks]

Runs the same benchmarks against two servers, or one server that commands
switch, in turns: A B B A, B A A B and so on, so that drift does not pass for a
difference. Writes DIR/a.txt and DIR/b.txt. Flags behind -- are those of
go test ./bench, as in: vllmbench ab -a URL -b URL -- -bench=Throughput -batches=1,8

`

// turns measures two servers in turns. It returns 1 if the arguments are wrong
// or not all was measured.
func turns(args []string, stdout, stderr io.Writer) int {
	c, help, err := abConfig(args)
	if help != nil {
		fmt.Fprint(stdout, abUsage)
		help.SetOutput(stdout)
		help.PrintDefaults()
		return 0
	}
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		c.Progress = stderr
		var o *ab.Outcome
		if o, err = ab.Run(ctx, c); err == nil {
			err = o.Print(stdout)
		}
	}
	if err != nil {
		fmt.Fprintln(stderr, "vllmbench ab:", err)
		return 1
	}
	return 0
}

// abConfig reads the command line. If that asks for help, it returns the flags.
func abConfig(args []string) (c ab.Config, help *flag.FlagSet, err error) {
	flags := flag.NewFlagSet("ab", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // Parse prints every error with the whole usage
	flags.Usage = func() {}
	url := flags.String("url", "", "measure the one server at `URL`, which -switch-a and -switch-b switch (default $VLLM_BASE_URL; keys are in $VLLM_API_KEY)")
	flags.StringVar(&c.A.URL, "a", "", "`URL` of side A")
	flags.StringVar(&c.B.URL, "b", "", "`URL` of side B")
	flags.StringVar(&c.A.Name, "name-a", "a", "`name` of side A's file and records")
	flags.StringVar(&c.B.Name, "name-b", "b", "`name` of side B's file and records")
	flags.StringVar(&c.A.Switch, "switch-a", "", "run the shell `command` before a leg of A that follows none of A; once it has ended well, A must come up")
	flags.StringVar(&c.B.Switch, "switch-b", "", "run the shell `command` likewise before B")
	flags.DurationVar(&c.SwitchTimeout, "switch-timeout", 0, "longest `time` that a switch may take until its server answers (default 10m)")
	flags.StringVar(&c.Dir, "o", "results/ab", "write into `DIR`")
	flags.IntVar(&c.Blocks, "blocks", 4, "measure in this `number` of blocks, each two legs a side")
	flags.BoolVar(&c.Record, "record", false, "save each leg with all its requests in DIR/records")
	var believed trust.Trust
	flags.StringVar(&believed.CA, "ca", "", "believe the certificates of the authority in the PEM `FILE` too")
	flags.BoolVar(&believed.Insecure, "insecure", false, "verify no certificate: whoever answers is believed, and gets the key")
	flags.BoolVar(&c.Force, "force", false, "measure sides of different models or workloads")

	ours := args
	if i := slices.Index(args, "--"); i >= 0 {
		ours, c.Args = args[:i], args[i+1:]
	}
	err = flags.Parse(ours)
	c.APIKey = os.Getenv("VLLM_API_KEY")
	switch {
	case errors.Is(err, flag.ErrHelp):
		return c, flags, nil
	case err != nil:
		err = fmt.Errorf("%w (see -h; flags of the benchmarks stand behind --)", err)
	case flags.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q: flags of the benchmarks stand behind --", flags.Arg(0))
	case c.Blocks < 1:
		err = fmt.Errorf("-blocks is %d: name 1 or more", c.Blocks)
	case (c.A.URL == "") != (c.B.URL == ""):
		err = errors.New("one side has no URL: give both -a and -b, or -url alone")
	case c.A.URL != "" && *url != "":
		err = errors.New("-url is beside -a and -b: give two servers, or one with -switch-a and -switch-b")
	case c.A.URL == "":
		c.A.URL = cmp.Or(*url, os.Getenv("VLLM_BASE_URL"))
		c.B.URL = c.A.URL
		if c.A.URL == "" {
			err = errors.New("no server is named: give -a and -b, or -url with -switch-a and -switch-b")
		} else if c.A.Switch == "" && c.B.Switch == "" {
			err = errors.New("one server has one side only: give -switch-a and -switch-b, or two servers with -a and -b")
		}
	}
	if err == nil {
		err = believe(&c, believed)
	}
	return c, nil, err
}

// believe has ab and its benchmarks, which run in another folder, trust alike.
func believe(c *ab.Config, t trust.Trust) error {
	conf, err := t.TLS()
	if err != nil || conf == nil {
		return err
	}
	c.HTTP = trust.Client(conf)
	if t.CA != "" {
		path, err := filepath.Abs(t.CA)
		if err != nil {
			return fmt.Errorf("-ca: %w", err)
		}
		c.Args = append(c.Args, "-ca="+path)
	}
	if t.Insecure {
		c.Args = append(c.Args, "-insecure")
	}
	return nil
}
