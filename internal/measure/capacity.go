package measure

import (
	"fmt"
	"math"
	"slices"
)

// capacityExperiment is the experiment whose rows are answers of a search, not measurements of one load.
const capacityExperiment = "capacity"

// capacityMetrics are what a search for the highest load found.
var capacityMetrics = []Metric{
	{"capacity-req/s", "higher", true, "the highest arrival rate at which the share of requests asked for met every objective of -slo in the long run: as likely too high as too low"},
	{"capacity-low-req/s", "higher", true, "the lower end of its 95 % interval: the highest rate shown to hold"},
	{"capacity-high-req/s", "higher", true, "the upper end of its 95 % interval: the lowest rate shown not to hold"},
	{"capacity-batch", "higher", true, "the largest number of requests in flight at which that share met every objective of -slo: as likely too high as too low"},
	{"capacity-low-batch", "higher", true, "the largest number of requests in flight shown to hold, at 95 % with the next one"},
	{"capacity-high-batch", "higher", true, "the smallest number of requests in flight shown not to hold"},
	{"capacity-goodput-req/s", "higher", true, "requests that met every objective of -slo, per second, in the probes at loads within the interval"},
	{"probes", "", true, "windows of the search"},
}

// OfCapacity says whether only the answer of a search has the metric.
func OfCapacity(metric string) bool {
	return slices.ContainsFunc(capacityMetrics, func(m Metric) bool { return m.Name == metric })
}

// A Capacity is what a search for the highest load found.
type Capacity struct {
	Name                       string  // of the row
	Unit                       string  // "req/s" or "batch", of the loads
	Low, Estimate, High        float64 // 0 and +Inf: not known
	Goodput                    float64 // requests a second; 0: no probe was within the interval
	Probes                     int
	Why                        string // the search's end
	PromptTokens, OutputTokens int    // asked, tokens a request, on average
	Window                     Window // from the first probe to the last
	SLO                        string
}

// Row is the answer as a row, which has no requests of its own: the probes' rows have them.
func (c Capacity) Row() Row {
	row := Row{
		Cell: Cell{Experiment: capacityExperiment, Name: c.Name, PromptTokens: c.PromptTokens, OutputTokens: c.OutputTokens},
		Ops:  1, Window: c.Window, SLO: c.SLO,
	}
	t := &table{row: &row}
	for _, v := range []struct {
		metric string
		value  float64
		known  bool
	}{
		{"capacity-" + c.Unit, c.Estimate, c.Estimate > 0 && !math.IsInf(c.High, 1) && c.Low > 0},
		{"capacity-low-" + c.Unit, c.Low, c.Low > 0},
		{"capacity-high-" + c.Unit, c.High, !math.IsInf(c.High, 1)},
		{"capacity-goodput-req/s", c.Goodput, c.Goodput > 0},
		{"probes", float64(c.Probes), true},
	} {
		if v.known {
			t.put(v.metric, v.value, c.Probes)
		} else {
			row.LeftOut = append(row.LeftOut, LeftOut{v.metric, "search", c.Why})
		}
	}
	t.order(nil)
	return row
}

// String is the answer in one line.
func (c Capacity) String() string {
	load := func(x float64) string { return fmt.Sprintf("%.3g", x) }
	probes := fmt.Sprintf("%d probes", c.Probes)
	if c.Probes == 1 {
		probes = "1 probe"
	}
	switch {
	case c.Low > 0 && !math.IsInf(c.High, 1):
		return fmt.Sprintf("%s %s [%s, %s], %s: %s", load(c.Estimate), c.Unit, load(c.Low), load(c.High), probes, c.Why)
	case c.Low > 0:
		return fmt.Sprintf("%s %s or more, %s: %s", load(c.Low), c.Unit, probes, c.Why)
	case !math.IsInf(c.High, 1):
		return fmt.Sprintf("less than %s %s, %s: %s", load(c.High), c.Unit, probes, c.Why)
	}
	return fmt.Sprintf("unknown, %s: %s", probes, c.Why)
}
