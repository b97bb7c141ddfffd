package scrape

import (
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"vllmbench/internal/measure"
	"vllmbench/internal/series"
)

// Rows are what the last row of each cell told.
type rows struct {
	mu    sync.Mutex
	cells []string
	last  map[string][]prometheus.Metric
}

func newRows() *rows { return &rows{last: map[string][]prometheus.Metric{}} }

func (r *rows) put(row *measure.Row) {
	name := valid(row.Name)
	var all []prometheus.Metric
	for _, v := range series.OfRow(row) {
		labels, values := []string{series.LabelCell}, []string{name}
		if v.Quantile != "" {
			labels, values = append(labels, series.LabelQuantile), append(values, v.Quantile)
		}
		desc := prometheus.NewDesc(v.Prometheus, rowHelp, labels, nil)
		all = append(all, prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v.Value, values...))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.cells, name) {
		r.cells = append(r.cells, name)
	}
	r.last[name] = all
}

// Which series there are changes from row to row, so they share their help.
const rowHelp = "Of the cell's last finished row: see docs/metrics.md."

// Describe implements prometheus.Collector. It sends nothing, since what a row
// tells is not known beforehand.
func (r *rows) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (r *rows) Collect(ch chan<- prometheus.Metric) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range r.cells {
		for _, m := range r.last[name] {
			ch <- m
		}
	}
}
