package vllmsim

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Places of a fault in a stream, besides numbers of tokens.
const (
	nowhere = -1            // the fault is of the whole answer
	atDone  = math.MaxInt32 // before [DONE]
)

// ParseFaults reads faults that happen together: NAME[=VALUE][@TOKENS], with
// commas between them. TOKENS is how many are sent before, or "done". "none" is no fault.
func ParseFaults(s string) ([]Fault, error) {
	if s == "none" {
		return nil, nil
	}
	var faults []Fault
	for one := range strings.SplitSeq(s, ",") {
		f, err := parseFault(one)
		if err != nil {
			return nil, err
		}
		faults = append(faults, f)
	}
	return faults, nil
}

// ParseRule reads alternatives, with "|" between them, and after a ":" the
// share of requests that meet one of them, such as 0.1. Without a share all do.
func ParseRule(s string) (Rule, error) {
	list, share, shared := strings.Cut(s, ":")
	r := Rule{share: 1}
	if shared {
		var err error
		r.share, err = strconv.ParseFloat(share, 64)
		if err != nil || !(r.share > 0 && r.share <= 1) {
			return Rule{}, fmt.Errorf("share %q: it must be a number above 0 and at most 1", share)
		}
	}
	for one := range strings.SplitSeq(list, "|") {
		faults, err := ParseFaults(one)
		if err != nil {
			return Rule{}, err
		}
		r.alternatives = append(r.alternatives, faults)
	}
	return r, nil
}

func parseFault(s string) (Fault, error) {
	text, at, placed := strings.Cut(s, "@")
	name, value, valued := strings.Cut(text, "=")
	i := slices.IndexFunc(faultKinds, func(k faultKind) bool { return k.name == name })
	if i < 0 {
		return Fault{}, fmt.Errorf("unknown fault %q: use one of %s", name, faultNames())
	}
	kind := &faultKinds[i]
	f := Fault{kind: kind, value: kind.preset, at: kind.at}
	if valued {
		f.value = value
	}
	if err := f.read(valued); err != nil {
		return Fault{}, fmt.Errorf("fault %s: %w", name, err)
	}
	if !placed {
		return f, nil
	}
	n, err := strconv.Atoi(at)
	switch {
	case kind.at == nowhere:
		return Fault{}, fmt.Errorf("fault %s: it has no place in the stream, leave out @%s", name, at)
	case at == position(atDone):
		n = atDone
	case err != nil || n < 0 || n >= atDone:
		return Fault{}, fmt.Errorf("fault %s: place %q must be a number of tokens, or done", name, at)
	}
	f.at = n
	return f, nil
}

// read understands f's value.
func (f *Fault) read(given bool) error {
	if f.kind.value.read != nil {
		return f.kind.value.read(f)
	}
	if given {
		return errors.New("it takes no value")
	}
	return nil
}

func position(at int) string {
	if at == atDone {
		return "done"
	}
	return strconv.Itoa(at)
}

func faultNames() string {
	names := make([]string, len(faultKinds))
	for i, k := range faultKinds {
		names[i] = k.name
	}
	return strings.Join(names, ", ")
}

// A wait is a time in which nothing is sent.
type wait time.Duration

const forEver wait = math.MaxInt64

// A valueKind is what a fault's value may be. The zero value is none.
type valueKind struct {
	syntax string
	read   func(*Fault) error
}

// number is a whole number of lo to hi, but not 0, which would be no fault.
func number(syntax string, lo, hi int) valueKind {
	return valueKind{syntax, func(f *Fault) (err error) {
		f.n, err = strconv.Atoi(f.value)
		if err != nil || f.n < lo || f.n > hi || f.n == 0 {
			return fmt.Errorf("value %q must be a whole number of %d to %d, not 0", f.value, lo, hi)
		}
		return nil
	}}
}

// aTime is a duration, or "ever": until the client leaves.
func aTime() valueKind {
	return valueKind{"TIME", func(f *Fault) error {
		d, err := time.ParseDuration(f.value)
		switch {
		case f.value == "ever":
			f.wait = forEver
		case err != nil || d <= 0:
			return fmt.Errorf("value %q must be a time such as 500ms, or ever", f.value)
		default:
			f.wait = wait(d)
		}
		return nil
	}}
}

func oneOf(words ...string) valueKind {
	return valueKind{strings.Join(words, ", "), func(f *Fault) error {
		if !slices.Contains(words, f.value) {
			return fmt.Errorf("value %q must be one of %s", f.value, strings.Join(words, ", "))
		}
		return nil
	}}
}

// aStatus is an HTTP status of an error, and after a "/" the shape of its body.
func aStatus() valueKind {
	return valueKind{"STATUS[/SHAPE]", func(f *Fault) error {
		code, shape, shaped := strings.Cut(f.value, "/")
		n, err := strconv.Atoi(code)
		if _, known := bodies[shape]; err != nil || n < 400 || n > 599 || shaped && (!known || shape == "") {
			return fmt.Errorf("value %q must be a status of 400 to 599, and after it /new, /old, /text, /html or nothing", f.value)
		}
		f.n = n
		return nil
	}}
}

// aFamily is a part of metric names.
func aFamily() valueKind {
	return valueKind{"NAME", func(f *Fault) error {
		if f.value == "" || strings.Trim(f.value, "abcdefghijklmnopqrstuvwxyz_") != "" {
			return fmt.Errorf("value %q must be letters and underscores of metric names", f.value)
		}
		return nil
	}}
}
