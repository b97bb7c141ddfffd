package bench

import (
	"flag"
	"fmt"
	"math"
	"os"
	"slices"

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

// fits fails if a length that was asked for by name does not fit into the
// server's context. Cells of the defaults that do not are skipped.
func (s *session) fits() error {
	named := map[string]int{}
	flag.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "prompt", "output":
			named["-prompt and -output"] = flags.prompt + flags.output
		case "prompts", "outputs":
			named["the longest of -prompts and -outputs"] = slices.Max(flags.prompts) + slices.Max(flags.outputs)
		}
	})
	if !drawn.Zero() {
		_, named["the longest of -lengths"] = sequence(flags.seed).Max()
	}
	for name, n := range named {
		if s.info.MaxModelLen > 0 && n > s.info.MaxModelLen {
			return fmt.Errorf("%s make %d tokens, but the context of %s at %s holds %d: name shorter ones, or serve it with a larger --max-model-len",
				name, n, s.info.Model, s.info.URL, s.info.MaxModelLen)
		}
	}
	return nil
}
