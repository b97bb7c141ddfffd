package progress

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"

	"vllmbench/internal/numeral"
)

// reasonWidth is what a reason needs to be worth its place.
const reasonWidth = 30

// A view is what the line says.
type view struct {
	name          string
	cell, cells   int // cell is 0 if it is none of the plan's
	round, rounds int
	phase         phase
	share         float64 // of the window, 0 to 1
	left          time.Duration
	known         bool          // left is
	rate          float64       // tok/s; 0: not known yet
	ttft          time.Duration // median; 0: not known yet
	inFlight      int
	void          int
	reason        string
}

// line is the view in at most width columns: what matters least is left out
// first, and what is still too long is cut.
func (v view) line(width int) string {
	fields := []string{v.where(), v.remaining(), v.speed(), v.first(), fmt.Sprintf("%d in flight", v.inFlight), clean(v.name)}
	need, void := width, ""
	if v.void > 0 {
		void = fmt.Sprintf("%d void: %s", v.void, clean(v.reason))
		need -= min(ansi.StringWidth(void), reasonWidth) + 2
	}
	text := join(fields)
	for n := len(fields) - 1; n > 0 && ansi.StringWidth(text) > need; n-- {
		text = join(fields[:n])
	}
	return ansi.Truncate(join([]string{text, void}), max(width, 0), "…")
}

func join(fields []string) string {
	var there []string
	for _, f := range fields {
		if f != "" {
			there = append(there, f)
		}
	}
	return strings.Join(there, "  ")
}

func (v view) where() string {
	var s []string
	if v.cell > 0 {
		s = append(s, fmt.Sprintf("cell %d/%d", v.cell, v.cells))
	}
	if v.rounds > 1 {
		s = append(s, fmt.Sprintf("round %d/%d", v.round, v.rounds))
	}
	switch v.phase {
	case warming:
		s = append(s, "warm-up")
	case draining:
		s = append(s, "ending")
	default:
		s = append(s, fmt.Sprintf("%.0f%%", math.Floor(100*v.share)))
	}
	return strings.Join(s, " ")
}

func (v view) remaining() string {
	if !v.known {
		return ""
	}
	switch d := v.left.Round(time.Second); {
	case d < 100*time.Second:
		return fmt.Sprintf("%ds left", int(d.Seconds()))
	case d < 100*time.Minute:
		return fmt.Sprintf("%dm left", int(math.Round(d.Minutes())))
	default:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%dh%02dm left", int(d.Hours()), int(d.Minutes())%60)
	}
}

func (v view) speed() string {
	if v.rate == 0 {
		return ""
	}
	return figure(v.rate) + " tok/s"
}

func (v view) first() string {
	switch {
	case v.ttft == 0:
		return ""
	case v.ttft < time.Millisecond:
		return "TTFT p50 " + figure(float64(v.ttft)/1e3) + " µs"
	case v.ttft < time.Second:
		return "TTFT p50 " + figure(float64(v.ttft)/1e6) + " ms"
	}
	return "TTFT p50 " + figure(v.ttft.Seconds()) + " s"
}

// figure writes a number above 0 with three significant digits, and thousands
// apart from five digits on.
func figure(x float64) string {
	x, _ = strconv.ParseFloat(strconv.FormatFloat(x, 'e', 2, 64), 64) // what it wrote itself
	digits := max(0, 2-int(math.Floor(math.Log10(x))))
	s := strconv.FormatFloat(x, 'f', digits, 64)
	if digits > 0 || len(s) < 5 {
		return s
	}
	return numeral.Grouped(s, "\u2009")
}

// clean makes a foreign text fit for one line of a terminal.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	return strings.Join(strings.Fields(s), " ")
}
