// Vllmbench gathers what goes with the benchmarks of this module.
//
// Each subcommand is a package's Main; this one only finds it by name.
package main

import (
	"fmt"
	"io"
	"os"

	"vllmbench/internal/vllmsim"
)

// A command is one subcommand; run returns the exit status.
type command struct {
	name, short string
	run         func(args []string, stdout, stderr io.Writer) int
}

func commands() []command {
	return []command{
		{"sim", "run the embedded server: vLLM's API and scheduler, without weights", vllmsim.Main},
		{"monitor", "show a server and its GPU while they work", watch},
		{"ab", "measure two servers in turns, so that drift does not pass for a difference", turns},
		{"compare", "hold two runs against each other, and decide", compareRuns},
		{"calibrate", "say how many streams this machine can measure before a rule gives way", limits},
		{"fleet", "simulate replicas behind a router, or plan the clients of a load", simulateFleet},
		{"fit", "find the overheads with which the embedded server behaves as a measured one", fitRun},
		{"merge", "make one run of the records of several instances that shared a load", mergeRecords},
		{"export", "write the JSON and CSV files of saved runs, or send their rows to Prometheus or OpenTelemetry", export},
		{"report", "answer from saved runs, with plots: a page, Markdown, pictures", reportRuns},
	}
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		usage(stdout)
		return 0
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(args[1:], stdout, stderr)
		}
	}
	fmt.Fprintf(stderr, "vllmbench: unknown command %q: run `vllmbench help` for the list\n", args[0])
	return 2
}

func usage(w io.Writer) {
	fmt.Fprint(w, "usage: vllmbench command [flags]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-9s %s\n", c.name, c.short)
	}
	fmt.Fprint(w, "\n`vllmbench command -h` lists a command's flags.\n")
}
