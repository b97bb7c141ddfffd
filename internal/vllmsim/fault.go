package vllmsim

import (
	"flag"
	"strconv"
	"strings"
)

// FaultHeader names the header in which a request asks for faults, as
// ParseFaults reads them. "none" asks for none, whatever the rules say.
const FaultHeader = "X-Vllmsim-Fault"

// Faults says what the server does wrong on purpose, and to whom. Requests
// are those for completions and chats, and scrapes of /metrics. The zero value
// does nothing wrong, and costs nothing.
//
// All faults lie between the engine and the wire: the scheduler never knows.
type Faults struct {
	Rules  []Rule      // each is tried for each request by itself
	Seed   uint64      // decides whom a rule's share falls on
	After  int         // requests of each sort that come first and are spared by the rules
	Header bool        // FaultHeader is heeded, instead of the rules
	Truth  func(Truth) // is called at the end of each generation request, from many goroutines; nil: nobody
}

func (f *Faults) active() bool { return len(f.Rules) > 0 || f.Header || f.Truth != nil }

// addFlags lets a command line set all but Truth.
func (f *Faults) addFlags(flags *flag.FlagSet) {
	flags.Func("fault", "do `FAULT` to requests: NAME[=VALUE][@TOKENS], several with a comma, alternatives with |, "+
		"then :SHARE unless all; repeatable; see docs/faults.md", func(s string) error {
		r, err := ParseRule(s)
		f.Rules = append(f.Rules, r)
		return err
	})
	flags.Uint64Var(&f.Seed, "fault-seed", 0, "`number` that decides whom the shares of --fault fall on")
	flags.IntVar(&f.After, "fault-after", 0, "`requests` that --fault spares first")
	flags.BoolVar(&f.Header, "faults", false, "let requests ask for faults in the header "+FaultHeader)
}

// String is what clients may meet, as the flags have it; "" for nothing.
func (f *Faults) String() string {
	var on []string
	for _, r := range f.Rules {
		on = append(on, r.String())
	}
	if f.Header {
		on = append(on, "those of header "+FaultHeader)
	}
	return strings.Join(on, " and ")
}

// A Rule does one of its alternatives to a share of the requests.
type Rule struct {
	alternatives [][]Fault
	share        float64 // above 0, at most 1
}

// String is the rule as ParseRule reads it.
func (r Rule) String() string {
	texts := make([]string, len(r.alternatives))
	for i, faults := range r.alternatives {
		texts[i] = joinFaults(faults)
	}
	s := strings.Join(texts, "|")
	if r.share < 1 {
		s += ":" + strconv.FormatFloat(r.share, 'g', -1, 64)
	}
	return s
}

// pick returns what the rules do to request number n, counted from 0. The
// same request id, or without one the same number, meets the same faults.
func (f *Faults) pick(id string, n uint64) (faults []Fault) {
	if n < uint64(max(0, f.After)) {
		return nil
	}
	if id != "" {
		n = 0
		for _, c := range []byte(id) {
			n = mix(n + uint64(c))
		}
	}
	for i, r := range f.Rules {
		roll := mix(mix(f.Seed+uint64(i)<<32) + n)
		if float64(roll>>11)/(1<<53) < r.share {
			faults = append(faults, r.alternatives[mix(roll)%uint64(len(r.alternatives))]...)
		}
	}
	return faults
}

// A Fault is one thing done wrong: docs/faults.md lists them.
type Fault struct {
	kind  *faultKind
	value string
	n     int // of value
	wait  wait
	at    int // tokens sent before it happens
}

// Name returns the fault's name in the table.
func (f Fault) Name() string { return f.kind.name }

// Outcome returns what a client must say of a stream with this fault alone, in
// package client's words: "ok", "connect", "truncated", ...
func (f Fault) Outcome() string {
	if f.kind.decide != nil {
		return f.kind.decide(f)
	}
	return f.kind.outcome
}

// String is the fault as ParseFaults reads it.
func (f Fault) String() string {
	s := f.kind.name
	if f.value != "" {
		s += "=" + f.value
	}
	if f.kind.at != nowhere {
		s += "@" + position(f.at)
	}
	return s
}

// due says whether f's place in a stream is just before p.
func (f Fault) due(p piece) bool { return p.sent >= f.at || p.kind == donePiece }

func joinFaults(faults []Fault) string {
	if len(faults) == 0 {
		return "none"
	}
	texts := make([]string, len(faults))
	for i, f := range faults {
		texts[i] = f.String()
	}
	return strings.Join(texts, ",")
}
