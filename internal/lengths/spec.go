package lengths

import (
	"errors"
	"fmt"
	"strings"
)

// A Spec is what the command line asks for, a flag.Value:
//
//	prompt=lognormal:200:0.6:1000,output=uniform:50-200
//	file=PATH
//
// Each is one of ParseDist's forms; a part that is not named is left to the caller.
type Spec struct {
	Prompt, Output Dist
	File           string // of pairs, for ReadPairs; neither distribution is set then
}

// Set reads text. The file is not opened.
func (s *Spec) Set(text string) error {
	var out Spec
	seen := map[string]bool{}
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if value == "" {
			return fmt.Errorf("%q is not of the form prompt=LENGTH, output=LENGTH or file=PATH", part)
		}
		if seen[name] {
			return fmt.Errorf("%s is named twice: name it once", name)
		}
		seen[name] = true
		var err error
		switch name {
		case "prompt":
			out.Prompt, err = ParseDist(value)
		case "output":
			out.Output, err = ParseDist(value)
		case "file":
			out.File = value
		default:
			err = fmt.Errorf("%q is neither prompt, output nor file", name)
		}
		if err != nil {
			return err
		}
	}
	if out.File != "" && len(seen) > 1 {
		return errors.New("a file has the lengths of prompts and of outputs: name nothing beside it")
	}
	*s = out
	return nil
}

// String is s as Set reads it; "" if nothing is named.
func (s *Spec) String() string {
	var parts []string
	if s.Prompt != (Dist{}) {
		parts = append(parts, "prompt="+s.Prompt.String())
	}
	if s.Output != (Dist{}) {
		parts = append(parts, "output="+s.Output.String())
	}
	if s.File != "" {
		parts = append(parts, "file="+s.File)
	}
	return strings.Join(parts, ",")
}

// Zero says whether nothing is named.
func (s *Spec) Zero() bool { return *s == Spec{} }
