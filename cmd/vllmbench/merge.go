package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"vllmbench/internal/merge"
	"vllmbench/internal/results"
)

const mergeUsage = `usage: vllmbench merge -o DIR [flags] RECORD...

Makes one run, in DIR and for benchstat in DIR.txt, of the records that several
instances of k6 wrote while they shared a load. A RECORD is the folder of one, or
a folder that holds them. Exit status: 0 merged, 1 the records are of no one load,
2 merged, but some of the load is missing or a row is void.

`

// notWhole is the exit status for a merged run that does not prove all that it should.
const notWhole = 2

// mergeRecords merges records; see mergeUsage for what it returns.
func mergeRecords(args []string, stdout, stderr io.Writer) int {
	var c merge.Config
	flags := flag.NewFlagSet("merge", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // Parse prints every error with the whole usage
	flags.Usage = func() {}
	into := flags.String("o", "", "write into `DIR`")
	flags.IntVar(&c.Expect, "expect", 0, "the load was shared by `N` instances (default: as their segments say)")
	flags.DurationVar(&c.ClockError, "clock-error", 0, "the clocks of the instances' hosts differ by at most `TIME`, such as 5ms (default: not known)")
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, mergeUsage)
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return 0
	}
	switch {
	case err != nil:
	case *into == "":
		err = errors.New("say where to, as in -o results/merged")
	case flags.NArg() == 0:
		err = errors.New("no record is named: give the folder that the instances wrote into")
	case c.Expect < 0 || c.ClockError < 0:
		err = errors.New("-expect and -clock-error are 0 or more")
	}
	var merged *merge.Run
	if err == nil {
		merged, err = mergeFolders(*into, flags.Args(), c, stderr)
	}
	if err == nil {
		err = saveMerged(*into, merged, stdout)
	}
	switch {
	case err != nil:
		fmt.Fprintln(stderr, "vllmbench merge:", err)
		return 1
	case !merged.Whole():
		return notWhole
	}
	return 0
}

// mergeFolders merges the records in dirs, of which into must be none, and says on stderr what is wrong with them.
func mergeFolders(into string, dirs []string, c merge.Config, stderr io.Writer) (*merge.Run, error) {
	paths, err := records(dirs)
	if err != nil {
		return nil, err
	}
	var runs []*results.Run
	for _, path := range paths {
		if sameFolder(into, path) {
			return nil, fmt.Errorf("%s is one of the records: write the merged run into another folder", into)
		}
		run, err := results.Open(path)
		if err != nil {
			c.Unreadable = append(c.Unreadable, err.Error())
			continue
		}
		defer run.Close()
		for _, w := range run.Warnings {
			fmt.Fprintf(stderr, "vllmbench merge: %s: %s\n", path, w)
		}
		runs = append(runs, run)
	}
	if len(runs) == 0 {
		return nil, errors.New(strings.Join(c.Unreadable, "; "))
	}
	merged, err := merge.Records(runs, c)
	if err != nil {
		return nil, err
	}
	for _, lost := range merged.Header.Merged.Lost {
		fmt.Fprintln(stderr, "vllmbench merge:", lost)
	}
	for _, row := range merged.Rows {
		if len(row.Measured.Void) > 0 {
			fmt.Fprintf(stderr, "vllmbench merge: %s is void: %s\n", row.Measured.Name, strings.Join(row.Measured.Void, "; "))
		}
	}
	return merged, nil
}

// saveMerged writes the run's folder, and its text beside it.
func saveMerged(dir string, merged *merge.Run, stdout io.Writer) error {
	if err := merged.Save(dir); err != nil {
		return err
	}
	run, err := results.Open(dir)
	if err != nil {
		return err
	}
	defer run.Close()
	path := filepath.Clean(dir) + ".txt"
	if err := results.SaveBench(path, run); err != nil {
		return err
	}
	for _, note := range run.Header.Merged.Notes {
		fmt.Fprintln(stdout, note)
	}
	fmt.Fprintf(stdout, "%s\n%s\n", dir, path)
	return nil
}
