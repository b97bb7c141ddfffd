package compare

import (
	"fmt"
	"strconv"
	"strings"
)

// heading says what a table shows.
func (t *Table) heading() string {
	h := t.Metric
	if s := t.scaleOf(); s.unit != "" && s.unit != t.Metric {
		h += " in " + s.unit
	}
	if t.Better != "" {
		h += ", " + t.Better + " is better"
	}
	if t.Gated {
		h += fmt.Sprintf("; gate: at most %s%s%% worse", exact(100*t.Gate), thin)
	}
	return h
}

// rows are the table's cells as text, the first row its heads.
func (t *Table) rows() [][]string {
	last := "p"
	if t.Gated {
		last = "gate"
	}
	out := [][]string{{"", "old", "new", "change", "n", last}}
	s := t.scaleOf()
	for _, l := range t.lines() {
		last := l.p()
		if t.Gated {
			last = l.Verdict
		}
		out = append(out, []string{l.Benchmark, l.Old.text(s), l.New.text(s), t.change(l), l.counts(), last})
	}
	return out
}

// text is the median and how far its interval reaches from it.
func (l *Level) text(s scale) string {
	switch {
	case l == nil:
		return "none"
	case l.Low == nil || l.Median == 0:
		return sig(l.Median / s.factor)
	}
	reach := 100 * max(*l.High-l.Median, l.Median-*l.Low) / l.Median
	return fmt.Sprintf("%s ±%s%s%%", sig(l.Median/s.factor), share(reach), thin)
}

// change is the change in words with its interval, or "~" with the interval
// if that holds 0: then it may be either way.
func (t *Table) change(l *Line) string {
	c := l.Change
	switch {
	case c == nil:
		return l.mark()
	case c.Low == nil:
		return fmt.Sprintf("%s%s%% %s%s", share(c.Percent), thin, t.direction(c.Percent), l.mark())
	case *c.Low <= 0 && *c.High >= 0:
		return fmt.Sprintf("~ [%s, %s]", signed(*c.Low), signed(*c.High))
	}
	low, high := share(*c.Low), share(*c.High)
	if c.Percent < 0 {
		low, high = high, low
	}
	return fmt.Sprintf("%s%s%% %s [%s, %s]", share(c.Percent), thin, t.direction(c.Percent), low, high)
}

// mark points to the reason below the table.
func (l *Line) mark() string {
	if l.Reason == "" {
		return ""
	}
	return "*"
}

func (l *Line) counts() string {
	n := func(l *Level) int {
		if l == nil {
			return 0
		}
		return l.N
	}
	return fmt.Sprintf("%d+%d", n(l.Old), n(l.New))
}

func (l *Line) p() string {
	switch {
	case l.Change == nil || l.Change.P == nil:
		return ""
	case *l.Change.P < 0.001:
		return "<0.001"
	}
	return fmt.Sprintf("%.3f", *l.Change.P)
}

// notes are what the lines of a table cannot say in a cell; equal ones are one.
func (t *Table) notes() []string {
	var reasons []string
	of := map[string][]string{}
	for _, l := range t.lines() {
		if l.Reason == "" {
			continue
		}
		if of[l.Reason] == nil {
			reasons = append(reasons, l.Reason)
		}
		of[l.Reason] = append(of[l.Reason], l.Benchmark)
	}
	var out []string
	for _, r := range reasons {
		where := strings.Join(of[r], " ")
		if len(of[r]) == len(t.lines()) {
			where = "all"
		}
		out = append(out, fmt.Sprintf("* %s: %s", where, r))
	}
	return out
}

// needs are the repetitions that would decide each inconclusive line, the
// first row their heads; nil if there is no such line.
func (t *Table) needs() [][]string {
	out := [][]string{{"repetitions that would decide", "as seen", "if unchanged", "spread of one"}}
	for _, l := range t.lines() {
		if l.Verdict == Inconclusive && l.Needed > 0 {
			out = append(out, []string{l.Benchmark, times(l.Needed), times(l.Unchanged), share(l.Change.Spread) + thin + "%"})
		}
	}
	if len(out) == 1 {
		return nil
	}
	return out
}

func times(n int) string {
	if n > mostSuggested {
		return ">1000"
	}
	return strconv.Itoa(n)
}
