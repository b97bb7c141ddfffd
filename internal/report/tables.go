package report

import (
	"slices"
	"strings"

	"vllmbench/internal/answers"
	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// perTable is how many metrics stand side by side at most, so that a table fits paper.
const perTable = 8

// A table has a row for each cell and run, a column for each metric.
type table struct {
	ID, Title string
	Folded    bool // of less interest
	Columns   []column
	Rows      []tableRow
}

// A column is one metric. Its Metric is also the anchor of its definition.
type column struct {
	Metric, Name, Unit, Better string
	Defined                    bool
	scale                      float64
}

// A tableRow is one cell of one run.
type tableRow struct {
	Cell    string
	Span    int // of the first run's row: over how many rows the cell's name stands; else 0
	Run     int
	RunName string
	N       int    // valid repetitions
	Void    string // if N is 0: why
	Values  []value
}

// A value is one metric of one cell: a median with its interval.
type value struct {
	Text     string // "" if it is not known
	Interval string
	N        int    // if it is not the row's
	LeftOut  string // why there is none
}

// themes are the tables and what stands in them; what no theme claims comes last.
var themes = []struct {
	id, title string
	has       func(metric string, all []string) bool
}{
	{"served", "Throughput and latency", func(m string, all []string) bool {
		if ofLoad(m, all) || ofPrefix(m, all) {
			return false
		}
		return m == "tok/s" || m == "req/s" || quantileOf(m) > 0 && !strings.Contains(m, "-tpot-") && !strings.Contains(m, "-lag-") && (quantileOf(m) == 50 || quantileOf(m) == 99)
	}},
	{"load", "Arrivals, goodput and capacity", ofLoad},
	{"prefix", "Shared prefixes and conversations", ofPrefix},
	{"gpu", "GPU and energy", func(m string, _ []string) bool { return isGPU(m) }},
	{"server", "Client and server", func(m string, _ []string) bool {
		return strings.HasPrefix(m, "engine-") || strings.HasPrefix(m, "egress-") || m == "mean-ttft-ns" || m == "mean-itl-ns"
	}},
	{"other", "All other metrics", func(string, []string) bool { return true }},
}

func isGPU(metric string) bool { return measure.Metric{Name: metric}.OfGPU() }

// tables are the medians of every cell and run.
func tables(runs []*results.Run, names []string) (out []table) {
	cells, probes := cellsOf(runs)
	known := levels(runs, names)
	left := names
	for _, theme := range themes {
		var mine, rest []string
		for _, name := range left {
			if theme.has(name, names) {
				mine = append(mine, name)
			} else {
				rest = append(rest, name)
			}
		}
		left = rest
		parts := max((len(mine)+perTable-1)/perTable, 1)
		for chunk := range slices.Chunk(mine, max((len(mine)+parts-1)/parts, 1)) {
			t := table{ID: theme.id, Title: theme.title, Folded: theme.id == "other", Columns: columns(chunk)}
			if len(out) > 0 && strings.HasPrefix(out[len(out)-1].Title, theme.title) {
				t.Title += ", continued"
			}
			if theme.id == "load" {
				t.Title += slos(runs)
			}
			if t.Rows = rows(runs, cells, t.Columns, known); len(t.Rows) > 0 {
				out = append(out, t)
			}
		}
	}
	return append(out, probed(runs, probes, names, known)...)
}

func columns(metrics []string) (out []column) {
	defined := definitions(metrics)
	for _, metric := range metrics {
		q := quantityOf(metric)
		c := column{Metric: metric, Name: q.Name, Unit: q.Unit, scale: q.scale}
		for _, d := range defined {
			if d.Metric == metric {
				c.Defined, c.Better = true, d.Better
			}
		}
		out = append(out, c)
	}
	return out
}

// A place is one metric of one cell of one run.
type place struct {
	run          int
	cell, metric string
}

// levels looks every level up once.
func levels(runs []*results.Run, names []string) map[place]answers.Level {
	known := map[place]answers.Level{}
	for i, run := range runs {
		var experiments []string
		for _, row := range run.Rows {
			if !slices.Contains(experiments, row.Measured.Experiment) {
				experiments = append(experiments, row.Measured.Experiment)
			}
		}
		for _, experiment := range experiments {
			for _, metric := range names {
				for _, l := range answers.Levels(run, experiment, metric) {
					known[place{i, l.Cell.Name, metric}] = l
				}
			}
		}
	}
	return known
}

// cellsOf names the cells of all runs, each once, in the order in which they
// first ran; those of a search's probes, whose loads it chose, apart.
func cellsOf(runs []*results.Run) (names, probes []string) {
	seen := map[string]bool{}
	for _, run := range runs {
		for _, row := range run.Rows {
			name := row.Measured.Name
			switch {
			case seen[name]:
			case row.Measured.Experiment == answers.Probes:
				probes = append(probes, name)
			default:
				names = append(names, name)
			}
			seen[name] = true
		}
	}
	return names, probes
}

func rows(runs []*results.Run, cells []string, columns []column, known map[place]answers.Level) (out []tableRow) {
	for _, cell := range cells {
		first := len(out)
		for i, run := range runs {
			valid, voids, reasons, has := standing(run, cell)
			if !has {
				continue
			}
			row := tableRow{Cell: cell, Run: i, RunName: run.Name, N: valid}
			if valid == 0 && voids > 0 {
				row.Void = strings.Join(reasons, "; ")
			}
			for _, c := range columns {
				v := value{LeftOut: whyLeftOut(run, cell, c.Metric)}
				if l, ok := known[place{i, cell, c.Metric}]; ok && l.N > 0 {
					v = value{Text: number(l.Value * c.scale), Interval: interval(l.Estimate, c.scale)}
					if l.N != valid {
						v.N = l.N
					}
				}
				row.Values = append(row.Values, v)
			}
			if !row.silent() {
				out = append(out, row)
			}
		}
		if len(out) > first {
			out[first].Span = len(out) - first
		}
	}
	return out
}

// silent says whether the row has nothing to say to the table's metrics: a
// search's answer has no latency, and a closed loop no arrivals.
func (r tableRow) silent() bool {
	return r.Void == "" && !slices.ContainsFunc(r.Values, func(v value) bool { return v.Text != "" || v.LeftOut != "" })
}

// standing counts the valid and the void rows of a cell and says why they are
// void, each reason once.
func standing(run *results.Run, cell string) (valid, voids int, reasons []string, has bool) {
	for _, row := range run.Rows {
		if row.Measured.Name != cell {
			continue
		}
		has = true
		if len(row.Measured.Void) == 0 {
			valid++
			continue
		}
		voids++
		for _, reason := range row.Measured.Void {
			if !slices.Contains(reasons, reason) {
				reasons = append(reasons, reason)
			}
		}
	}
	return valid, voids, reasons, has
}

func whyLeftOut(run *results.Run, cell, metric string) string {
	for _, row := range run.Rows {
		if row.Measured.Name != cell {
			continue
		}
		for _, l := range row.Measured.LeftOut {
			if l.Metric == metric {
				return l.Reason
			}
		}
	}
	return ""
}
