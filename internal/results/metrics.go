package results

import (
	"encoding/json"
	"io"
	"slices"
	"time"

	"golang.org/x/perf/benchmath"

	"vllmbench/internal/measure"
)

// A metricsFile is NAME_metrics.json: a run's rows, by cell.
type metricsFile struct {
	SchemaVersion int               `json:"schema_version"`
	Run           string            `json:"run"`
	Started       time.Time         `json:"started"`
	Complete      bool              `json:"complete"`
	Warnings      []string          `json:"warnings,omitempty"`
	Environment   Environment       `json:"environment"`
	Server        json.RawMessage   `json:"server,omitempty"`
	Simulated     bool              `json:"simulated"`
	Devices       []Device          `json:"gpus,omitempty"`
	Stamps        string            `json:"stamps"`
	Flags         map[string]string `json:"flags,omitempty"`
	Nonce         string            `json:"nonce"`
	Cells         []cellMetrics     `json:"cells"`
}

type cellMetrics struct {
	measure.Cell
	Repetitions int            `json:"repetitions"` // rows, the void ones among them
	Metrics     []metricValues `json:"metrics"`
	LeftOut     []leftOut      `json:"left_out,omitempty"`
	Void        []voidRow      `json:"void,omitempty"`
	Ledger      []ledger       `json:"ledger,omitempty"`
}

// A metricValues is one metric over the valid repetitions of a cell. Its lists
// have one element for each repetition that has the metric.
type metricValues struct {
	Metric      string    `json:"metric"`
	Unit        string    `json:"unit,omitempty"`
	Median      float64   `json:"median"`
	N           int       `json:"n"` // values
	Values      []float64 `json:"values"`
	Samples     []int     `json:"samples"` // behind each value; 0 if it is not drawn from samples
	Repetitions []int     `json:"repetitions"`
}

// A leftOut is a metric that a rule left out. Its lists have one element for each repetition.
type leftOut struct {
	Metric      string   `json:"metric"`
	Rule        string   `json:"rule"`
	Reasons     []string `json:"reasons"`
	Repetitions []int    `json:"repetitions"`
}

type voidRow struct {
	Repetition int      `json:"repetition"`
	Reasons    []string `json:"reasons"`
}

type ledger struct {
	Repetition int               `json:"repetition"`
	Accounts   []measure.Account `json:"accounts"`
	Wire       []measure.Pair    `json:"wire,omitempty"`
}

// WriteMetricsJSON writes NAME_metrics.json: the run's environment and server,
// and of each cell the values of every metric in all valid repetitions with
// their median, what was left out, what is void, and the ledger.
func WriteMetricsJSON(w io.Writer, r *Run) error {
	h := &r.Header
	e := encoder(w)
	e.SetIndent("", " ")
	return e.Encode(metricsFile{
		SchemaVersion: SchemaVersion,
		Run:           r.Name,
		Started:       h.Started,
		Complete:      r.Complete,
		Warnings:      r.Warnings,
		Environment:   h.Environment,
		Server:        h.Server,
		Simulated:     h.Simulated,
		Devices:       h.Devices,
		Stamps:        h.Stamps,
		Flags:         h.Flags,
		Nonce:         h.Nonce,
		Cells:         cells(r.Rows),
	})
}

// cells groups rows by cell, in the order in which cells first ran.
func cells(rows []Row) []cellMetrics {
	found := []cellMetrics{}
	for _, row := range rows {
		i := slices.IndexFunc(found, func(c cellMetrics) bool { return c.Cell == row.Measured.Cell })
		if i < 0 {
			i = len(found)
			found = append(found, cellMetrics{Cell: row.Measured.Cell, Metrics: []metricValues{}})
		}
		found[i].add(&row)
	}
	for _, c := range found {
		for i := range c.Metrics {
			c.Metrics[i].Median, c.Metrics[i].N = median(c.Metrics[i].Values), len(c.Metrics[i].Values)
		}
	}
	return found
}

func (c *cellMetrics) add(row *Row) {
	c.Repetitions++
	m := &row.Measured
	if len(m.Ledger) > 0 || len(m.Wire) > 0 {
		c.Ledger = append(c.Ledger, ledger{row.Repetition, m.Ledger, m.Wire})
	}
	if len(m.Void) > 0 {
		c.Void = append(c.Void, voidRow{row.Repetition, m.Void})
		return
	}
	for _, v := range m.Values {
		i := slices.IndexFunc(c.Metrics, func(have metricValues) bool { return have.Metric == v.Metric })
		if i < 0 {
			i = len(c.Metrics)
			c.Metrics = append(c.Metrics, metricValues{Metric: v.Metric, Unit: measure.Unit(v.Metric)})
		}
		found := &c.Metrics[i]
		found.Values = append(found.Values, v.Value)
		found.Samples = append(found.Samples, v.N)
		found.Repetitions = append(found.Repetitions, row.Repetition)
	}
	for _, l := range m.LeftOut {
		i := slices.IndexFunc(c.LeftOut, func(have leftOut) bool { return have.Metric == l.Metric && have.Rule == l.Rule })
		if i < 0 {
			i = len(c.LeftOut)
			c.LeftOut = append(c.LeftOut, leftOut{Metric: l.Metric, Rule: l.Rule})
		}
		found := &c.LeftOut[i]
		found.Reasons = append(found.Reasons, l.Reason)
		found.Repetitions = append(found.Repetitions, row.Repetition)
	}
}

// median is benchstat's, so that both print the same number.
func median(values []float64) float64 {
	thresholds := benchmath.DefaultThresholds
	sample := benchmath.NewSample(slices.Clone(values), &thresholds) // it sorts
	return benchmath.AssumeNothing.Summary(sample, 0.95).Center
}
