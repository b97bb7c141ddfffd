package trace

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"vllmbench/internal/numeral"
)

// Lines says the statistics in words, a line for each subject.
func (s Stats) Lines() []string {
	count := numeral.Grouped(strconv.Itoa(s.Requests), " ")
	arrivals := "arrivals: too few for their statistics"
	if !math.IsNaN(s.GapCV) {
		arrivals = "arrivals: " + join(
			said("the coefficient of variation of gaps is %s", s.GapCV),
			said("the index of dispersion of counts in 1 s is %s", s.Dispersion)) + "; Poisson arrivals have 1"
	}
	reuse := "prefixes: the trace does not tell which prompts begin alike, so every prompt is new"
	if !math.IsNaN(s.Reuse) {
		reuse = fmt.Sprintf("prefixes: %s %% of the prompt tokens repeat the start of an earlier prompt", three(100*s.Reuse))
	}
	return []string{
		join(fmt.Sprintf("requests: %s in %v", count, roughly(s.Length)), said("%s req/s", s.Rate), said("%s req/s in the fullest 10 s", s.Peak)),
		arrivals,
		"prompt: " + s.Prompt.String(),
		"output: " + s.Output.String(),
		reuse,
	}
}

// String is the lines in one text.
func (s Stats) String() string { return strings.Join(s.Lines(), "\n") }

// String says the lengths in tokens.
func (l Lengths) String() string {
	return fmt.Sprintf("mean %s, p50 %s, p90 %s, p99 %s, most %s tokens", three(l.Mean), three(l.P50), three(l.P90), three(l.P99), three(l.Max))
}

// said is format with x, "" if x is not known.
func said(format string, x float64) string {
	if math.IsNaN(x) {
		return ""
	}
	return fmt.Sprintf(format, three(x))
}

// join joins what is not "".
func join(parts ...string) string {
	var said []string
	for _, p := range parts {
		if p != "" {
			said = append(said, p)
		}
	}
	return strings.Join(said, ", ")
}

// roughly leaves out of a time what three digits do not show.
func roughly(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 1000 && unit < time.Second {
		unit *= 10
	}
	return d.Round(unit)
}

// three writes x with three significant digits and no exponent.
func three(x float64) string {
	if x == 0 {
		return "0"
	}
	digits := func() int { return 2 - int(math.Floor(math.Log10(math.Abs(x)))) }
	unit := math.Pow10(-digits())
	x = math.Round(x/unit) * unit // 99.96 is 100 now, which has a digit more
	return numeral.Grouped(strconv.FormatFloat(x, 'f', max(digits(), 0), 64), " ")
}
