package load

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseRates reads phases of equal length from a list such as "2,4,0..8": rates in
// requests a second, A..B being a ramp.
func ParseRates(list string, each time.Duration) ([]Phase, error) {
	var phases []Phase
	for word := range strings.SplitSeq(list, ",") {
		p, err := parseRate(strings.TrimSpace(word))
		if err != nil {
			return nil, err
		}
		p.For = each
		phases = append(phases, p)
	}
	return phases, nil
}

// ReadArrivals reads a schedule file. Its lines are all of one kind:
//
//	12.5          an arrival, in seconds since the start; times are in order
//	4 30s         a phase of 4 requests a second for 30 seconds
//	4..16 1m30s   a ramp; a length without a unit is in seconds
//
// Blank lines, and what follows a #, are passed over. Burstiness and Seed are
// left for the caller to set. An error names its line.
func ReadArrivals(r io.Reader) (Arrivals, error) {
	var a Arrivals
	lines := bufio.NewScanner(r)
	n := 0
	for lines.Scan() {
		n++
		text, _, _ := strings.Cut(lines.Text(), "#")
		if err := a.line(strings.Fields(text)); err != nil {
			return Arrivals{}, fmt.Errorf("line %d of the schedule: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return Arrivals{}, fmt.Errorf("line %d of the schedule: %w", n+1, err)
	}
	if len(a.Times)+len(a.Phases) == 0 {
		return Arrivals{}, fmt.Errorf("the schedule is empty: it needs a time in seconds a line, or a rate and a length")
	}
	return a, nil
}

// line takes the words of one line.
func (a *Arrivals) line(words []string) error {
	switch {
	case len(words) == 0:
		return nil
	case len(words) == 1 && len(a.Phases) == 0:
		at, ok := seconds(words[0])
		if !ok {
			return fmt.Errorf("%q is not a time in seconds since the start", words[0])
		}
		if k := len(a.Times); k > 0 && at < a.Times[k-1] {
			return fmt.Errorf("%q is earlier than the arrival before it: sort the times", words[0])
		}
		if len(a.Times) == maxArrivals {
			return fmt.Errorf("%d arrivals are the most: split the file", maxArrivals)
		}
		a.Times = append(a.Times, at)
		return nil
	case len(words) == 2 && len(a.Times) == 0:
		p, err := parseRate(words[0])
		if err != nil {
			return err
		}
		if p.For, err = time.ParseDuration(words[1]); err != nil {
			var ok bool
			if p.For, ok = seconds(words[1]); !ok {
				return fmt.Errorf("%q is not a length: write 30s or 1m30s", words[1])
			}
		}
		a.Phases = append(a.Phases, p)
		return nil
	}
	return fmt.Errorf("%q: every line is a time in seconds, or every line is a rate and a length", strings.Join(words, " "))
}

// parseRate reads a rate or a ramp; the phase's length is left open.
func parseRate(word string) (Phase, error) {
	from, to, ramp := strings.Cut(word, "..")
	if !ramp {
		to = from
	}
	a, err1 := strconv.ParseFloat(from, 64)
	b, err2 := strconv.ParseFloat(to, 64)
	if err1 != nil || err2 != nil || !(a >= 0 && b >= 0 && a <= maxArrivals && b <= maxArrivals) {
		return Phase{}, fmt.Errorf("%q is not a rate in requests a second: write 4, or 4..16 for a ramp", word)
	}
	return Phase{From: a, To: b}, nil
}

// seconds reads a number of seconds that a schedule may hold.
func seconds(word string) (time.Duration, bool) {
	s, err := strconv.ParseFloat(word, 64)
	if err != nil || !(s >= 0 && s <= maxLength.Seconds()) {
		return 0, false
	}
	return time.Duration(math.Round(s * 1e9)), true
}
