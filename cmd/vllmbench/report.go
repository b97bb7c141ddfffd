package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"vllmbench/internal/report"
	"vllmbench/internal/results"
)

// reportRuns writes the report of saved runs. It returns 1 if the arguments, a
// run or the folder to write into are wrong.
func reportRuns(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("report", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // Parse prints every error with the whole usage
	into := flags.String("o", "results/report", "write into `DIR`")
	flags.Usage = func() {}
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, "usage: vllmbench report [-o DIR] RUN...\n\n"+
			"Writes report.html, report.md and pictures of the runs, all runs in each. A RUN\n"+
			"is a folder that -record saved, or a text file of go test -bench.\n\n")
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return 0
	}
	if err == nil {
		err = writeReport(*into, flags.Args(), stdout, stderr)
	}
	if err != nil {
		fmt.Fprintln(stderr, "vllmbench report:", report.Clean(err.Error()))
		return 1
	}
	return 0
}

// writeReport reads the runs at paths, says what is wrong with them on stderr,
// and prints the files written and what each run answers on stdout.
func writeReport(into string, paths []string, stdout, stderr io.Writer) error {
	var runs []*results.Run
	for _, path := range paths {
		run, err := results.Load(path)
		if err != nil {
			return err
		}
		defer run.Close()
		for _, w := range run.Warnings {
			fmt.Fprintf(stderr, "vllmbench report: %s: %s\n", path, report.Clean(w))
		}
		runs = append(runs, run)
	}
	r, err := report.New(runs)
	if err != nil {
		return err
	}
	written, err := r.Write(into)
	if err != nil {
		return err
	}
	for _, s := range r.Summaries() {
		for _, a := range s.Answers {
			first, _ := report.Sentence(report.Clean(a.Text))
			fmt.Fprintf(stdout, "%s: %s\n", report.Clean(s.Run), first)
		}
		for _, w := range s.Warnings {
			fmt.Fprintf(stdout, "%s: warning: %s\n", report.Clean(s.Run), strings.TrimSpace(report.Clean(w.What)))
		}
	}
	for _, path := range written[:2] {
		fmt.Fprintln(stdout, path)
	}
	fmt.Fprintf(stdout, "and %d pictures beside them\n", len(written)-2)
	return nil
}
