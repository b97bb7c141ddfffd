package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"vllmbench/internal/push"
	"vllmbench/internal/results"
	"vllmbench/internal/series"
	"vllmbench/internal/trust"
)

// An exporting is what the command line asks for.
type exporting struct {
	into              string
	remoteWrite, otlp string // URLs
	trust             trust.Trust
	token             string
}

// pushToken names the environment variable with the receivers' key: a flag would show it to every user of this machine.
const pushToken = "VLLMBENCH_PUSH_TOKEN"

const exportUsage = `usage: vllmbench export [flags] RUNDIR...

Writes NAME_metrics.json for each saved run, and latency_results.csv,
throughput_results.csv and sequence_length_results.csv over all of them.
With -remote-write or -otlp it sends their rows there instead, each at the time
at which it was measured, and writes files only where -o names a folder.
$` + pushToken + ` is the key of the receiver.

`

// export derives the JSON and CSV files of saved runs, and sends their rows. It
// returns 1 if the arguments, a run, a folder or a receiver are wrong.
func export(args []string, stdout, stderr io.Writer) int {
	x := exporting{token: os.Getenv(pushToken)}
	flags := flag.NewFlagSet("export", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // Parse prints every error with the whole usage
	flags.StringVar(&x.into, "o", "", "write into `DIR` (default: the folder that holds the first RUNDIR)")
	flags.StringVar(&x.remoteWrite, "remote-write", "", "send the rows to the Prometheus at `URL` (without a path: /api/v1/write)")
	flags.StringVar(&x.otlp, "otlp", "", "send the rows to the OpenTelemetry collector at `URL` (without a path: /v1/metrics)")
	flags.StringVar(&x.trust.CA, "ca", "", "believe the certificates of the authority in the PEM `FILE` too")
	flags.BoolVar(&x.trust.Insecure, "insecure", false, "verify no certificate: whoever answers is believed, and gets the key")
	flags.Usage = func() {}
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, exportUsage)
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return 0
	}
	if err == nil && flags.NArg() == 0 {
		err = errors.New("no run is named: give the folder of one, such as results/baseline")
	}
	if err == nil {
		err = x.runs(flags.Args(), stdout, stderr)
	}
	if err != nil {
		fmt.Fprintln(stderr, "vllmbench export:", err)
		return 1
	}
	return 0
}

// runs reads the runs in dirs, says what is wrong with them on stderr, and
// says on stdout which files were written and what was sent.
func (x *exporting) runs(dirs []string, stdout, stderr io.Writer) error {
	var runs []*results.Run
	for _, dir := range dirs {
		run, err := results.Open(dir)
		if err != nil {
			return err
		}
		defer run.Close()
		for _, w := range run.Warnings {
			fmt.Fprintf(stderr, "vllmbench export: %s: %s\n", dir, w)
		}
		runs = append(runs, run)
	}
	if x.into != "" || x.remoteWrite == "" && x.otlp == "" {
		if err := x.write(dirs[0], runs, stdout); err != nil {
			return err
		}
	}
	return x.send(runs, stdout)
}

// write writes the files, by default beside the folder first.
func (x *exporting) write(first string, runs []*results.Run, stdout io.Writer) error {
	into := x.into
	if into == "" {
		first, err := filepath.Abs(first)
		if err != nil {
			return err
		}
		into = filepath.Dir(first)
	}
	paths, err := results.Export(into, runs)
	if err != nil {
		return err
	}
	for _, path := range paths {
		fmt.Fprintln(stdout, path)
	}
	return nil
}

// send sends the rows to the receivers that are named.
func (x *exporting) send(runs []*results.Run, stdout io.Writer) error {
	conf, err := x.trust.TLS()
	if err != nil {
		return err
	}
	samples := series.OfRuns(runs)
	for _, to := range []struct {
		name, url string
		send      func(context.Context, push.Target, []series.Sample) error
	}{
		{"-remote-write", x.remoteWrite, push.RemoteWrite}, {"-otlp", x.otlp, push.OTLP},
	} {
		if to.url == "" {
			continue
		}
		if err := to.send(context.Background(), push.Target{URL: to.url, Token: x.token, TLS: conf}, samples); err != nil {
			return fmt.Errorf("%s: %w", to.name, err)
		}
		fmt.Fprintf(stdout, "%s: %d samples sent\n", to.name, len(samples))
	}
	return nil
}
