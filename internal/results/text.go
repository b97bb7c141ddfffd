package results

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"

	"vllmbench/internal/measure"
)

// Load reads the run at path: a folder as Open does, else the text that
// go test -bench printed, of these benchmarks or of any others. Of a text it
// keeps what was printed: no requests, no GPU samples, no time at which a row
// was measured, and only the metrics of the benchmark's line, with the units
// that it has there. A text without a result is an error. The caller closes the run.
func Load(path string) (*Run, error) {
	info, err := os.Stat(path)
	// Open also knows where a folder is that was being replaced.
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() {
		return Open(path)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the run: %w", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the run: %w", err)
	}
	run, err := readText(text, path)
	if err != nil {
		return nil, err
	}
	name, err := baseName(path)
	run.Name = strings.TrimSuffix(name, ".txt")
	run.Header.Run = run.Name
	return run, err
}

// TextLacks is the warning that every run has that was read from a text.
const TextLacks = "a text holds neither requests nor GPU samples: record the run (-record) for them"

// A textRow is a row and the line of the text that it is from.
type textRow struct {
	line int
	row  measure.Row
}

func readText(text []byte, path string) (*Run, error) {
	run := &Run{Text: true, Complete: true}
	found, config, err := run.results(text, path)
	if err != nil {
		return nil, err
	}
	failed := failures(text)
	if len(found) == 0 {
		says := ""
		if len(failed) > 0 {
			says = fmt.Sprintf(", but %d benchmarks that failed", len(failed))
		}
		return nil, fmt.Errorf("%s holds no result of a benchmark%s: give the output of go test -bench, or the folder of a saved run", path, says)
	}
	stripProcs(found)
	comments := run.header(text, config)
	found = append(found, failed...)
	slices.SortStableFunc(found, func(a, b textRow) int { return cmp.Compare(a.line, b.line) })
	repetitions := map[string]int{}
	for _, f := range found {
		f.row.Cell = cellOf(f.row.Name, comments.prompt, comments.output)
		f.row.SLO = config["slo"]
		f.row.LeftOut = comments.leftOut(&f.row)
		repetitions[f.row.Name]++
		run.Rows = append(run.Rows, Row{Repetition: repetitions[f.row.Name], Measured: f.row})
	}
	run.warn("%s", TextLacks)
	run.clean()
	return run, nil
}

// results reads the result lines, and the configuration of the first.
func (r *Run) results(text []byte, path string) (found []textRow, config map[string]string, err error) {
	lines := benchfmt.NewReader(bytes.NewReader(text), path)
	for lines.Scan() {
		switch rec := lines.Result().(type) {
		case *benchfmt.SyntaxError:
			r.warn("a line is left out: %v", rec)
		case *benchfmt.Result:
			if config == nil {
				config = map[string]string{}
				for _, c := range rec.Config {
					config[c.Key] = string(c.Value)
				}
			}
			r.otherConfig(rec, config)
			_, line := rec.Pos()
			row := measure.Row{Cell: measure.Cell{Name: rec.Name.String()}, Ops: rec.Iters, Values: r.printed(rec)}
			found = append(found, textRow{line, row})
		}
	}
	r.Units = lines.Units()
	if err := lines.Err(); err != nil {
		return nil, nil, fmt.Errorf("cannot read the run: %w", err)
	}
	return found, config, nil
}

// otherConfig warns, once a key, of a result that was measured under another
// configuration than the first: a file of two runs.
func (r *Run) otherConfig(rec *benchfmt.Result, config map[string]string) {
	for _, key := range []string{"server", "model", "gpu", "workload", "cpu"} {
		if have := rec.GetConfig(key); have != config[key] {
			says := fmt.Sprintf("the text holds results of more than one %s: what is said of the run is true of the first (%s)", key, cmp.Or(config[key], "none"))
			if !slices.Contains(r.Warnings, says) {
				r.warn("%s", says)
			}
		}
	}
}

// printed are the values of a line in the units that it has: benchfmt makes
// seconds of nanoseconds.
func (r *Run) printed(rec *benchfmt.Result) (values []measure.Value) {
	for _, v := range rec.Values {
		value := measure.Value{Metric: v.Unit, Value: v.Value}
		if v.OrigUnit != "" {
			value.Metric, value.Value = v.OrigUnit, v.OrigValue
		}
		if math.IsNaN(value.Value) || math.IsInf(value.Value, 0) {
			r.warn("%s of %s is %v, which is no measurement, and is left out", value.Metric, rec.Name, value.Value)
			continue
		}
		values = append(values, value)
	}
	return values
}

// stripProcs removes "-N" from the names if it is the same in all: then it is
// the number of processors, and not what tells two benchmarks apart.
func stripProcs(found []textRow) {
	procs := func(name string) string {
		_, parts := benchfmt.Name(name).Parts()
		if n := len(parts); n > 0 && parts[n-1][0] == '-' {
			return string(parts[n-1])
		}
		return ""
	}
	first := procs(found[0].row.Name)
	if slices.ContainsFunc(found, func(f textRow) bool { return procs(f.row.Name) != first }) {
		return
	}
	for i := range found {
		found[i].row.Name = strings.TrimSuffix(found[i].row.Name, first)
	}
}

// cellOf knows the cell of one of these benchmarks by its name and by the
// lengths that the text gives. Of any other it has only the name.
func cellOf(name string, prompt, output int) measure.Cell {
	other := measure.Cell{Name: name}
	if prompt == 0 || output == 0 {
		return other
	}
	c := measure.Cell{Experiment: "latency", Name: name, Batch: 1, PromptTokens: prompt, OutputTokens: output}
	scan := func(format string, into ...*int) bool {
		var pointers, numbers []any
		for _, p := range into {
			pointers = append(pointers, p)
		}
		fmt.Sscanf(name, format, pointers...) // what it did not read, the next line tells
		for _, p := range into {
			numbers = append(numbers, *p)
		}
		return fmt.Sprintf(format, numbers...) == name
	}
	switch {
	case name == "Latency":
	case strings.HasPrefix(name, "Throughput/") && scan("Throughput/batch=%d", &c.Batch):
		c.Experiment = "throughput"
	case strings.HasPrefix(name, "SeqLen/") && scan("SeqLen/prompt=%d/output=%d", &c.PromptTokens, &c.OutputTokens):
		c.Experiment = "seqlen"
	case strings.HasPrefix(name, "Arrivals/rate=") && !strings.Contains(name, ".."):
		rate, err := strconv.ParseFloat(strings.TrimPrefix(name, "Arrivals/rate="), 64)
		if err != nil || !(rate > 0) || math.IsInf(rate, 0) {
			return other
		}
		c.Experiment, c.Batch, c.Rate = "arrivals", 0, rate
	case name == "Capacity/rate" || name == "Capacity/batch":
		c.Experiment, c.Batch = "capacity", 0
	default:
		return other
	}
	return c
}
