package ab

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"
	"time"
)

// say prints a line of progress.
func (r *runner) say(format string, args ...any) {
	fmt.Fprintf(r.Progress, format+"\n", args...)
}

// tell reports a leg that has ended well.
func (r *runner) tell(t turn, out *output, took time.Duration) {
	done, all := t.leg, len(r.turns)
	rows := fmt.Sprintf("%d rows", len(out.results))
	if len(out.results) == 1 {
		rows = "1 row"
	}
	line := fmt.Sprintf("leg %d of %d: %s, %s, %s", done, all, r.sides[t.side].Name, rows, rough(took))
	if left := all - done; left > 0 {
		line += fmt.Sprintf(", about %s left", rough(time.Since(r.began)/time.Duration(done)*time.Duration(left)))
	}
	r.say("%s", line)
}

// rough prints a time in the unit that one would say it in.
func rough(d time.Duration) string {
	switch {
	case d < 99500*time.Millisecond:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 100*time.Minute:
		return fmt.Sprintf("%.0f min", d.Minutes())
	default:
		return fmt.Sprintf("%.1f h", d.Hours())
	}
}

// Print writes the paired changes, the paths of the files, and the commands that compare them.
func (o *Outcome) Print(w io.Writer) error {
	name := func(path string) string { return strings.TrimSuffix(filepath.Base(path), ".txt") }
	fmt.Fprintf(w, "%s against %s: geometric mean over benchmarks, paired by block (%d), each metric with its own 95 %% interval\n", name(o.B), name(o.A), o.Blocks)
	for _, c := range o.Changes {
		if c.Benchmarks == 0 {
			fmt.Fprintf(w, "  %-16s %9s  in no benchmark does every leg have it\n", c.Metric, "")
			continue
		}
		fmt.Fprintf(w, "  %-16s %9s  %-24s  %s\n", c.Metric, percent(c.Ratio), c.interval(), c.word())
	}
	ignore := ""
	if len(o.Ignore) > 0 {
		ignore = " -ignore=" + strings.Join(o.Ignore, ",")
	}
	_, err := fmt.Fprintf(w, "\n%s\n%s\n\nvllmbench compare %[1]s %[2]s\ngo tool benchstat%s %[1]s %[2]s\n", o.A, o.B, ignore)
	return err
}

// interval prints the ends of the change, and over which part of the benchmarks if not over all.
func (c Change) interval() string {
	text := "no interval from 1 block"
	if !math.IsInf(c.Hi, 1) {
		text = fmt.Sprintf("[%s, %s]", percent(c.Lo), percent(c.Hi))
	}
	if c.Benchmarks < c.Of {
		text += fmt.Sprintf(" over %d of %d", c.Benchmarks, c.Of)
	}
	return text
}

// word says what the change means.
func (c Change) word() string {
	switch {
	case !c.Decided():
		return "~"
	case (c.Ratio > 1) == (c.Better == "higher"):
		return "better"
	default:
		return "worse"
	}
}

// percent prints a ratio as a change, with three significant digits but at most
// two decimals, or as a factor if it is a large one.
func percent(ratio float64) string {
	if ratio >= 100 {
		return fmt.Sprintf("x %.3g", ratio)
	}
	p := 100 * (ratio - 1)
	decimals := 2
	for limit := 9.995; decimals > 0 && math.Abs(p) >= limit; limit *= 10 {
		decimals--
	}
	return fmt.Sprintf("%+.*f %%", decimals, p)
}
