package calibrate

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"vllmbench/internal/numeral"
)

// Write prints the levels as a table, and in a sentence what this machine holds.
func Write(w io.Writer, levels []Level, interval time.Duration) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "streams\ttok/s\tclient's CPU\tlag p50\tlag p99\tmerged\tturnaround\ta row")
	for _, l := range levels {
		fmt.Fprintf(tw, "%d\t%s\t%.0f %%\t%v\t%v\t%.2f %%\t%.2f %%\t%s\n", l.Streams, count(l.Tokens), 100*l.CPU,
			l.Lag50.Round(time.Microsecond), l.Lag99.Round(time.Microsecond), 100*l.Merged, 100*l.Turnaround, cmp.Or(l.gave(), "holds"))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s\n", sentence(levels, interval))
	return err
}

// count writes a number of three significant digits with its thousands apart.
func count(v float64) string {
	scale := math.Pow10(max(0, int(math.Log10(max(v, 1)))-2))
	return numeral.Grouped(strconv.FormatFloat(math.Round(v/scale)*scale, 'f', 0, 64), numeral.Narrow)
}

// gave tells what a row of that many streams loses, or "".
func (l *Level) gave() string {
	var parts []string
	if l.SenderLate {
		parts = append(parts, "the sender was late too")
	}
	for _, g := range l.Rules {
		parts = append(parts, fmt.Sprintf("loses %s (%s)", families(g.Metrics), g.Rule))
	}
	return strings.Join(parts, "; ")
}

// families names metrics by what they measure: "TTFT, ITL".
func families(metrics []string) string {
	var out []string
	for _, f := range []struct{ part, name string }{{"tok/s", "throughput"}, {"-ttft-", "TTFT"}, {"-itl-", "ITL"}, {"-tpot-", "TPOT"}, {"-e2e-", "E2E"}} {
		for _, m := range metrics {
			if strings.Contains(m, f.part) {
				out = append(out, f.name)
				break
			}
		}
	}
	return strings.Join(out, ", ")
}

func sentence(levels []Level, interval time.Duration) string {
	var best, next *Level
	for i := range levels {
		if l := &levels[i]; !l.Holds() {
			next = l
			break
		}
		best = &levels[i]
	}
	rate := func(l *Level) string {
		return fmt.Sprintf("%d streams with %v between tokens, %s tok/s", l.Streams, interval, count(l.Tokens))
	}
	switch {
	case best == nil:
		return fmt.Sprintf("On this machine not even a row of %s holds: it %s.", rate(next), next.gave())
	case next == nil:
		return fmt.Sprintf("On this machine a row holds up to %s and more: nothing gave way.", rate(best))
	}
	return fmt.Sprintf("On this machine, which the sender shares, a row holds up to %s; at %d streams %s gives way first: %s.",
		rate(best), next.Streams, next.first(), next.why())
}

func (l *Level) first() string {
	if len(l.Rules) == 0 {
		return "the sender"
	}
	return "the rule " + l.Rules[0].Rule
}

func (l *Level) why() string {
	if len(l.Rules) == 0 {
		return "its tokens come later than they should, so the client's limit lies beyond"
	}
	return l.Rules[0].Reason
}
