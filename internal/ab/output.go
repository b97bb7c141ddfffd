package ab

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// An output is what the benchmarks printed in one leg.
type output struct {
	head    []string          // configuration, units and comments, up to the first result
	config  map[string]string // of the results
	better  []direction       // in the order of the output
	results []result
	tail    []string // comments after the first result

	failed []failure
	broken error  // why the text is no output of benchmarks; nil if it is
	exit   int    // status
	said   string // last line of standard error
}

// A result is one benchmark line.
type result struct {
	name   string // without "Benchmark"
	line   string
	values []value
}

// A value is one of the numbers on a line, under the unit that was printed.
type value struct {
	unit   string
	number float64
}

// A direction is the one in which a metric is better: "higher" or "lower".
type direction struct{ metric, better string }

// A failure is a benchmark that has no result, and why.
type failure struct{ name, reason string }

var failed = regexp.MustCompile(`--- FAIL: Benchmark(\S+)\r?\n\s+\w+\.go:\d+: ([^\r\n]*)`)

// parse reads standard output of go test -bench.
func parse(text string) *output {
	out := &output{config: map[string]string{}}
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], "\r")
	}
	r := benchfmt.NewReader(strings.NewReader(text), "output")
	first := len(lines)
	for r.Scan() {
		switch rec := r.Result().(type) {
		case *benchfmt.Result:
			if _, at := rec.Pos(); len(out.results) == 0 {
				first = at - 1
			}
			out.add(rec, lines)
		case *benchfmt.UnitMetadata:
			if rec.Key == "better" {
				out.better = append(out.better, direction{rec.OrigUnit, rec.Value})
			}
		case *benchfmt.SyntaxError:
			if !strings.Contains(lines[rec.Line-1], "--- FAIL") { // a failed benchmark's name stands before that
				out.broken = fmt.Errorf("line %d of the benchmarks' output is no result (%s)", rec.Line, rec.Msg)
			}
		}
	}
	if err := r.Err(); err != nil {
		out.broken = fmt.Errorf("the benchmarks' output cannot be read: %w", err)
	}
	for i, line := range lines {
		switch comment := strings.HasPrefix(line, "# "); {
		case i < first && (comment || strings.HasPrefix(line, "Unit ") || out.configures(line)):
			out.head = append(out.head, line)
		case i > first && comment:
			out.tail = append(out.tail, line)
		}
	}
	for _, m := range failed.FindAllStringSubmatch(text, -1) {
		out.failed = append(out.failed, failure{m[1], m[2]})
	}
	return out
}

// add adds a result and its configuration.
func (o *output) add(rec *benchfmt.Result, lines []string) {
	_, at := rec.Pos()
	res := result{name: rec.Name.String(), line: lines[at-1]}
	for _, v := range rec.Values {
		if v.OrigUnit != "" {
			v.Value, v.Unit = v.OrigValue, v.OrigUnit
		}
		res.values = append(res.values, value{v.Unit, v.Value})
	}
	o.results = append(o.results, res)
	for _, c := range rec.Config {
		o.config[c.Key] = string(c.Value)
	}
}

// configures says whether line is one of configuration.
func (o *output) configures(line string) bool {
	key, rest, ok := strings.Cut(line, ":")
	v, known := o.config[key]
	return ok && known && strings.TrimLeft(rest, " \t") == v
}

// fault returns why the leg proves nothing, or nil.
func (o *output) fault() error {
	switch {
	case len(o.failed) > 0:
		return fmt.Errorf("%d of %d benchmarks failed, the first %s: %s", len(o.failed), len(o.failed)+len(o.results), o.failed[0].name, o.failed[0].reason)
	case o.exit != 0 && o.said != "":
		return fmt.Errorf("the benchmarks failed: %s", strings.TrimPrefix(o.said, "vllmbench: "))
	case o.exit != 0:
		return fmt.Errorf("the benchmarks failed with exit status %d", o.exit)
	case o.broken != nil:
		return o.broken
	case !slices.ContainsFunc(o.results, measured):
		return fmt.Errorf("no benchmark ran: name others with -bench after --, where -bench=. is all of them")
	}
	return nil
}

// measured says whether a result holds more than the zero time of a benchmark that was skipped.
func measured(r result) bool { return len(r.values) > 1 || r.values[0].number != 0 }

// hopeless says whether a fault would come again: it came before any benchmark ran.
func (o *output) hopeless() bool {
	return len(o.failed) == 0 && !slices.ContainsFunc(o.results, measured)
}
