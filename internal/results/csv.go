package results

import (
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"vllmbench/internal/measure"
)

// columns are those of every CSV file.
var columns = []string{
	"run", "time", "experiment", "batch", "prompt_tokens", "output_tokens", "repetition",
	"metric", "unit", "value", "samples", "status", "reason",
}

// tables names the CSV file of each experiment.
var tables = []struct{ experiment, file string }{
	{"latency", "latency_results.csv"},
	{"throughput", "throughput_results.csv"},
	{"seqlen", "sequence_length_results.csv"},
}

// WriteCSV writes the three CSV files of all runs into dir, one observation a
// line, in place of older ones: a metric of a row with status "ok", a metric
// with status "left_out" and the reason for it, or a void row, which has no
// metric and no value, with status "void" and the reasons. It returns the paths written.
func WriteCSV(dir string, runs []*Run) ([]string, error) {
	for _, r := range runs {
		for _, row := range r.Rows {
			if !slices.ContainsFunc(tables, func(t struct{ experiment, file string }) bool { return t.experiment == row.Measured.Experiment }) {
				return nil, fmt.Errorf("run %s has a row of experiment %q, for which there is no CSV file", r.Name, row.Measured.Experiment)
			}
		}
	}
	var paths []string
	for _, t := range tables {
		path := filepath.Join(dir, t.file)
		err := replace(path, func(w io.Writer) error { return writeTable(w, t.experiment, runs) })
		if err != nil {
			return paths, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// inert keeps a spreadsheet from taking a text that a server or a file gave for
// a formula: "'" before what begins one says that it is text.
func inert(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

func writeTable(w io.Writer, experiment string, runs []*Run) error {
	lines := csv.NewWriter(w)
	records := [][]string{columns}
	for _, r := range runs {
		for i := range r.Rows {
			if r.Rows[i].Measured.Experiment == experiment {
				records = append(records, observations(r.Name, &r.Rows[i])...)
			}
		}
	}
	return lines.WriteAll(records) // flushes too
}

// observations are the lines of one row.
func observations(run string, row *Row) [][]string {
	m := &row.Measured
	observation := func(metric, unit, value, samples, status, reason string) []string {
		return []string{
			inert(run), row.Start.UTC().Format(time.RFC3339Nano), m.Experiment,
			strconv.Itoa(m.Batch), strconv.Itoa(m.PromptTokens), strconv.Itoa(m.OutputTokens), strconv.Itoa(row.Repetition),
			inert(metric), inert(unit), value, samples, status, inert(reason),
		}
	}
	if len(m.Void) > 0 {
		return [][]string{observation("", "", "", "", "void", strings.Join(m.Void, "; "))}
	}
	var found [][]string
	for _, v := range m.Values {
		samples := "" // the value is not drawn from any
		if v.N > 0 {
			samples = strconv.Itoa(v.N)
		}
		found = append(found, observation(v.Metric, measure.Unit(v.Metric), strconv.FormatFloat(v.Value, 'f', -1, 64), samples, "ok", ""))
	}
	for _, l := range m.LeftOut {
		found = append(found, observation(l.Metric, measure.Unit(l.Metric), "", "", "left_out", l.Reason))
	}
	return found
}
