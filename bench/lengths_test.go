package bench

import (
	"flag"
	"fmt"
	"math"
	"os"

	"vllmbench/internal/lengths"
	"vllmbench/internal/measure"
)

// drawn is what -lengths says.
var drawn struct {
	lengths.Spec
	pairs []lengths.Pair // of the file, if it names one
}

func init() {
	flag.Var(&drawn.Spec, "lengths", "`lengths` that differ from request to request, in the order of -seed, instead of -prompt and -output: "+
		"prompt=lognormal:200:0.6:1000,output=uniform:50-200 (median, sigma and greatest; from-to), or file=PATH of two numbers a line (from the repository's root); not for BenchmarkSeqLen and experiments with prompts of their own")
}

// checkLengths reads the file, and makes the means what cells ask for on average.
func checkLengths() error {
	d := &drawn
	for name, taken := range map[string]bool{"prompt": d.Prompt.Max() > 0 || d.File != "", "output": d.Output.Max() > 0 || d.File != ""} {
		if taken && given(name) {
			return fmt.Errorf("-%s and -lengths both say how long a request's %s is: name one of them", name, name)
		}
	}
	if d.File != "" {
		file, err := os.Open(fromRoot(d.File))
		if err != nil {
			return fmt.Errorf("-lengths: %w", err)
		}
		defer file.Close()
		if d.pairs, err = lengths.ReadPairs(file); err != nil {
			return fmt.Errorf("-lengths %s: %w", d.File, err)
		}
	}
	if !d.Zero() {
		prompt, output := sequence(flags.seed).Mean()
		flags.prompt, flags.output = int(math.Round(prompt)), int(math.Round(output))
	}
	return nil
}

// sequence is the lengths of a cell's requests. What -lengths does not name is -prompt and -output.
func sequence(seed uint64) *lengths.Sequence {
	prompt, output := lengths.Fixed(flags.prompt), lengths.Fixed(flags.output)
	if drawn.Prompt.Max() > 0 {
		prompt = drawn.Prompt
	}
	if drawn.Output.Max() > 0 {
		output = drawn.Output
	}
	return lengths.NewSequence(prompt, output, drawn.pairs, seed)
}

// varies says whether the lengths of c's requests are drawn: where they are no axis of the
// experiment's own.
func varies(c measure.Cell) bool {
	return !drawn.Zero() && c.Experiment != "seqlen" && c.Experiment != "trace"
}

// lengthsSaid is what requests ask for unless a line's name says otherwise.
func lengthsSaid() string {
	d := &drawn
	prompt, output := fmt.Sprint(flags.prompt), fmt.Sprint(flags.output)
	switch {
	case d.Zero():
		return fmt.Sprintf("prompt=%s/output=%s", prompt, output)
	case d.File != "":
		return fmt.Sprintf("lengths of %s (%d pairs, on average prompt=%s/output=%s) by seed %d", d.File, len(d.pairs), prompt, output, flags.seed)
	}
	if d.Prompt.Max() > 0 {
		prompt = d.Prompt.String()
	}
	if d.Output.Max() > 0 {
		output = d.Output.String()
	}
	return fmt.Sprintf("prompt=%s/output=%s by seed %d", prompt, output, flags.seed)
}
