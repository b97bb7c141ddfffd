// Package slo says whether a request met its service level objectives.
//
// Objectives are per request, and a request meets all of them or does not count:
// the shares of requests that meet each one alone would not tell how many users were served well.
package slo

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"vllmbench/client"
)

// An SLO is the bounds that each request is held to. A zero bound is none.
type SLO struct {
	TTFT   time.Duration // of client.Result.TTFT
	ITL    time.Duration // of client.Result.TPOT, the mean gap between the request's tokens
	MaxITL time.Duration // of the longest gap between two of the request's events
	E2E    time.Duration // of client.Result.E2E
}

// bounds are the objectives by name, in the order of display.
func (s *SLO) bounds() []bound {
	return []bound{{"ttft", &s.TTFT}, {"itl", &s.ITL}, {"max-itl", &s.MaxITL}, {"e2e", &s.E2E}}
}

type bound struct {
	name string
	at   *time.Duration
}

// Parse reads an SLO as "ttft:500ms,itl:50ms,max-itl:1s,e2e:10s", any of these
// in any order; tpot is another name of itl. The empty text is no objective.
func Parse(text string) (SLO, error) {
	var s SLO
	if text == "" {
		return s, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		if err := s.add(strings.TrimSpace(part)); err != nil {
			return SLO{}, err
		}
	}
	return s, nil
}

func (s *SLO) add(part string) error {
	name, value, found := strings.Cut(part, ":")
	if !found {
		return fmt.Errorf("the objective %q is not of the form NAME:DURATION, as in ttft:500ms", part)
	}
	if name == "tpot" {
		name = "itl"
	}
	for _, b := range s.bounds() {
		if b.name != name {
			continue
		}
		d, err := time.ParseDuration(value)
		if err != nil || d <= 0 {
			return fmt.Errorf("the objective %q has no duration above 0: name one with its unit, as in %s:500ms", part, name)
		}
		if *b.at != 0 {
			return fmt.Errorf("the objective %s is named twice (tpot is another name of itl): name it once", name)
		}
		*b.at = d
		return nil
	}
	return fmt.Errorf("%q is no objective: name ttft, itl (or tpot), max-itl or e2e", name)
}

// String is the text that Parse reads, "" without objectives.
func (s SLO) String() string {
	var parts []string
	for _, b := range s.bounds() {
		if *b.at != 0 {
			parts = append(parts, b.name+":"+brief(*b.at))
		}
	}
	return strings.Join(parts, ",")
}

// brief is d without the zero minutes and seconds that time.Duration writes.
func brief(d time.Duration) string {
	t := d.String()
	if strings.HasSuffix(t, "m0s") {
		t = strings.TrimSuffix(t, "0s")
	}
	if strings.HasSuffix(t, "h0m") {
		t = strings.TrimSuffix(t, "0m")
	}
	return t
}

// Set makes an SLO a flag.Value, for which an empty text is an error.
func (s *SLO) Set(text string) error {
	if text == "" {
		return errors.New("name objectives, as in ttft:500ms,itl:50ms,e2e:10s")
	}
	parsed, err := Parse(text)
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}

// Zero says whether there is no objective.
func (s SLO) Zero() bool { return s == SLO{} }

// Met says whether a request ended well and within every bound. A request of
// one event has no gaps, and so meets the objectives of these.
func (s SLO) Met(r *client.Result) bool {
	within := func(bound, d time.Duration) bool { return bound == 0 || d <= bound }
	return r.Outcome == client.OK &&
		within(s.TTFT, r.TTFT()) && within(s.ITL, r.TPOT()) && within(s.MaxITL, longest(r)) && within(s.E2E, r.E2E())
}

// longest is the longest gap between two events of r, 0 if there is none.
func longest(r *client.Result) (gap time.Duration) {
	for i := 1; i < len(r.Events); i++ {
		gap = max(gap, r.Events[i].At-r.Events[i-1].At)
	}
	return gap
}
