package results

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"vllmbench/internal/measure"
)

// columns are those of every CSV file, in which they come first.
var columns = []string{
	"run", "time", "experiment", "batch", "prompt_tokens", "output_tokens", "repetition",
	"metric", "unit", "value", "samples", "status", "reason",
}

// moreColumns tell what batch and lengths do not, behind the others.
var moreColumns = []string{"cell", "rate", "slo"}

// A csvTable is one CSV file.
type csvTable struct {
	file        string
	experiments []string
	more        bool // it has moreColumns, and is not written for runs without its rows
}

var tables = []csvTable{
	{"latency_results.csv", []string{"latency"}, false},
	{"throughput_results.csv", []string{"throughput"}, false},
	{"sequence_length_results.csv", []string{"seqlen"}, false},
	{"arrivals_results.csv", []string{"arrivals"}, true},
	{"capacity_results.csv", []string{"capacity", "probe"}, true},
	{"prefix_results.csv", []string{"prefix"}, true},
	{"turns_results.csv", []string{"turns"}, true},
	{"trace_results.csv", []string{"trace"}, true},
}

// holds says whether rows of the experiment stand in the file.
func (t csvTable) holds(row Row) bool { return slices.Contains(t.experiments, row.Measured.Experiment) }

func (t csvTable) ofRun(r *Run) bool { return slices.ContainsFunc(r.Rows, t.holds) }

// WriteCSV writes the CSV files of all runs into dir, one observation a
// line, in place of older ones: a metric of a row with status "ok", a metric
// with status "left_out" and the reason for it, or a void row, which has no
// metric and no value, with status "void" and the reasons. The files of latency, throughput and
// sequence lengths are always written, another only if there are rows for it or
// an older one, which would pass for theirs. It returns the paths written.
func WriteCSV(dir string, runs []*Run) ([]string, error) {
	for _, r := range runs {
		for _, row := range r.Rows {
			if !slices.ContainsFunc(tables, func(t csvTable) bool { return t.holds(row) }) {
				return nil, fmt.Errorf("run %s has a row of experiment %q, for which there is no CSV file", r.Name, row.Measured.Experiment)
			}
		}
	}
	var paths []string
	for _, t := range tables {
		path := filepath.Join(dir, t.file)
		if _, err := os.Stat(path); t.more && errors.Is(err, fs.ErrNotExist) && !slices.ContainsFunc(runs, t.ofRun) {
			continue
		}
		err := replace(path, func(w io.Writer) error { return t.write(w, runs) })
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

func (t csvTable) write(w io.Writer, runs []*Run) error {
	lines := csv.NewWriter(w)
	records := [][]string{columns}
	if t.more {
		records[0] = slices.Concat(columns, moreColumns)
	}
	for _, r := range runs {
		for i := range r.Rows {
			if !t.holds(r.Rows[i]) {
				continue
			}
			m := &r.Rows[i].Measured
			for _, record := range observations(r.Name, &r.Rows[i]) {
				if t.more {
					record = append(record, inert(m.Name), rate(m.Rate), inert(m.SLO))
				}
				records = append(records, record)
			}
		}
	}
	return lines.WriteAll(records) // flushes too
}

// rate writes arrivals a second, "" of a closed loop.
func rate(v float64) string {
	if v == 0 {
		return ""
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
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
