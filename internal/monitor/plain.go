package monitor

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

const (
	headerEvery = 20 // lines, as dmon has it
	timeWidth   = len("16:04:05  ")
)

// A plain prints one line a round, for pipes and for terminals that cannot
// draw. Lines that begin with # are no figures.
type plain struct {
	w     io.Writer
	width int // of a line, in characters; 0: unlimited

	printed int // lines since the header
	columns []quantity
}

// print writes the newest round of s, and what happened in it.
func (p *plain) print(s *State) error {
	var b strings.Builder
	for _, e := range s.news {
		fmt.Fprintf(&b, "# %s\n", e)
	}
	if r := s.newest(); r.elapsed > 0 || (r.hasGPU() && !s.starting()) {
		if columns := p.choose(s); p.printed%headerEvery == 0 || !slices.Equal(columns, p.columns) {
			p.columns, p.printed = columns, 0
			b.WriteString(p.header(s))
		}
		p.printed++
		b.WriteString(p.line(r, s))
	}
	if b.Len() == 0 {
		return nil
	}
	_, err := io.WriteString(p.w, b.String())
	return err
}

// starting says whether the server's rates are still to come, which takes two rounds.
func (s *State) starting() bool { return s.URL != "" && s.totals.seconds == 0 && !s.server.gone() }

func (r row) hasGPU() bool {
	return slices.ContainsFunc(r.cells[:firstServer], func(c cell) bool { return c.known })
}

// choose returns the columns that are offered and fit, in their order.
func (p *plain) choose(s *State) []quantity {
	var qs []quantity
	for q := range quantities {
		if s.offered[q] && columns[q].rank > 0 {
			qs = append(qs, q)
		}
	}
	if p.width == 0 {
		return qs
	}
	for n := len(qs); n > 0; n-- {
		if fit := mostWanted(qs, n); timeWidth+len(p.rule(fit, func(q quantity) string { return columns[q].short })) <= p.width {
			return fit
		}
	}
	return nil
}

// rule writes one text for each column, right-aligned.
func (p *plain) rule(qs []quantity, text func(quantity) string) string {
	var b strings.Builder
	for _, q := range qs {
		width := max(len(columns[q].short), len(columns[q].unit), 5) + 1
		fmt.Fprintf(&b, "%*s", width, text(q))
	}
	return b.String()
}

func (p *plain) header(s *State) string {
	label := ""
	if s.Simulated {
		label = "  simulated"
	}
	if s.Insecure {
		label += "  INSECURE: certificates are not verified"
	}
	return "# time    " + p.rule(p.columns, func(q quantity) string { return columns[q].short }) + label + "\n" +
		"# h:m:s   " + p.rule(p.columns, func(q quantity) string { return columns[q].unit }) + "\n"
}

func (p *plain) line(r row, s *State) string {
	line := r.at.Format(time.TimeOnly) + "  " + p.rule(p.columns, func(q quantity) string { return q.value(r.cells[q]) })
	if r.idle {
		line += "  idle" + strings.Replace(s.gpu.gap.during(), ", ", " ", 1)
	}
	if s.gpu.slow != "" {
		line += "  throttled: " + s.gpu.slow
	}
	return line + "\n"
}
