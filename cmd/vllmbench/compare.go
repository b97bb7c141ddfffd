package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"vllmbench/internal/compare"
	"vllmbench/internal/results"
)

const compareUsage = `usage: vllmbench compare [flags] OLD NEW

Holds two runs against each other, each the folder of a saved run or the text
of go test -bench, and with -gate decides. Exit status: 0 pass (or no gate),
1 a gate failed, 2 inconclusive, 3 the runs or flags are wrong.

`

// badInput is the exit status for runs and flags that are wrong.
const badInput = 3

// compareRuns compares two runs; see compareUsage for what it returns.
func compareRuns(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // Parse prints every error with the whole usage
	flags.Usage = func() {}
	gate := flags.String("gate", "", "decide whether metrics became worse than `METRIC:P%,...` allows: tok/s:3%,p50-ttft-ns:5%")
	on := flags.String("gate-on", compare.OnBoth, "each benchmark, the geomean over benchmarks, or both")
	metrics := flags.String("metrics", "", "compare these `METRIC,...` (default: the gates', or those of the benchmark's line)")
	filter := flags.String("filter", "*", "compare rows that `EXPR` matches, in benchproc's syntax; it also knows side and repetition")
	alpha := flags.Float64("alpha", 0.05, "probability of any wrong decision in the whole comparison")
	format := flags.String("format", compare.Text, "text, md or json")
	allow := flags.String("allow", "", "compare although these differ: `KIND,...` of "+strings.Join(compare.Kinds(), ", "))
	force := flags.Bool("force", false, "compare whatever differs")
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, compareUsage)
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return 0
	}
	if err == nil && flags.NArg() != 2 {
		err = fmt.Errorf("%d runs are named: name two, the old one first, after the flags", flags.NArg())
	}
	c := compare.Config{Metrics: split(*metrics), Filter: *filter, GateOn: *on, Alpha: *alpha, Allow: split(*allow)}
	if *force {
		c.Allow = compare.Kinds()
	}
	if err == nil && *gate != "" {
		c.Gates, err = compare.ParseGates(*gate)
	}
	var report *compare.Report
	if err == nil {
		report, err = compareFiles(flags.Arg(0), flags.Arg(1), c)
	}
	if err == nil {
		err = report.Write(stdout, *format)
	}
	if err == nil {
		return report.Exit()
	}
	sentences := []string{err.Error()}
	if refused := (*compare.Incomparable)(nil); errors.As(err, &refused) {
		sentences = refused.Reasons
	}
	for _, s := range sentences {
		fmt.Fprintln(stderr, "vllmbench compare:", s)
	}
	return badInput
}

func compareFiles(oldPath, newPath string, c compare.Config) (*compare.Report, error) {
	old, err := results.Load(oldPath)
	if err != nil {
		return nil, err
	}
	defer old.Close()
	new, err := results.Load(newPath)
	if err != nil {
		return nil, err
	}
	defer new.Close()
	c.OldPath, c.NewPath = oldPath, newPath
	return compare.Compare(old, new, c)
}

// split reads a list; of nothing it makes none.
func split(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}
