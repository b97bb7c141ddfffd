package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"

	"vllmbench/internal/results"
)

// export derives the JSON and CSV files of saved runs. It returns 1 if the
// arguments, a run or a folder are wrong.
func export(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("export", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // Parse prints every error with the whole usage
	into := flags.String("o", "", "write into `DIR` (default: the folder that holds the first RUNDIR)")
	flags.Usage = func() {}
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, "usage: vllmbench export [-o DIR] RUNDIR...\n\n"+
			"Writes NAME_metrics.json for each saved run, and latency_results.csv,\n"+
			"throughput_results.csv and sequence_length_results.csv over all of them.\n\n")
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return 0
	}
	if err == nil && flags.NArg() == 0 {
		err = errors.New("no run is named: give the folder of one, such as results/baseline")
	}
	if err == nil {
		err = exportRuns(*into, flags.Args(), stdout, stderr)
	}
	if err != nil {
		fmt.Fprintln(stderr, "vllmbench export:", err)
		return 1
	}
	return 0
}

// exportRuns reads the runs in dirs, says what is wrong with them on stderr,
// and names the files written on stdout.
func exportRuns(into string, dirs []string, stdout, stderr io.Writer) error {
	if into == "" {
		first, err := filepath.Abs(dirs[0])
		if err != nil {
			return err
		}
		into = filepath.Dir(first)
	}
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
	paths, err := results.Export(into, runs)
	if err != nil {
		return err
	}
	for _, path := range paths {
		fmt.Fprintln(stdout, path)
	}
	return nil
}
