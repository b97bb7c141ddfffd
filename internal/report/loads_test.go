package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// loaded is a run of arrivals, of a search and of conversations, without requests.
func loaded() *results.Run {
	run := memory("loaded", shape{model: "m", repetitions: 1, seqs: 8})
	run.Rows = run.Rows[:1]
	add := func(cell measure.Cell, left string, values ...measure.Value) {
		m := measure.Row{Cell: cell, Ops: 1, SLO: "ttft:200ms", Values: values}
		if left != "" {
			m.LeftOut = []measure.LeftOut{{Metric: left, Rule: "growth", Reason: "the queue grew by 31 requests"}}
		}
		run.Rows = append(run.Rows, results.Row{Repetition: 1, Measured: m})
	}
	at := func(experiment, name string, rate float64) measure.Cell {
		return measure.Cell{Experiment: experiment, Name: fmt.Sprintf("%s/rate=%v", name, rate), Rate: rate}
	}
	v := func(metric string, value float64) measure.Value {
		return measure.Value{Metric: metric, Value: value, N: 1000}
	}
	add(at("arrivals", "Arrivals", 4), "", v("p50-ttft-ns", 2e7), v("p50-late-ns", 3e4), v("offered-req/s", 4), v("slo-%", 99), v("goodput-req/s", 3.96))
	add(at("arrivals", "Arrivals", 9), "slo-%", v("offered-req/s", 9))
	add(at("probe", "Capacity", 6.5), "", v("p50-ttft-ns", 3e7), v("slo-%", 97), v("goodput-req/s", 6.3))
	add(at("probe", "Capacity", 3.25), "", v("p50-ttft-ns", 2e7), v("slo-%", 100), v("goodput-req/s", 3.2))
	add(measure.Cell{Experiment: "capacity", Name: "Capacity/rate"}, "", v("capacity-req/s", 6), v("capacity-low-req/s", 5.5), v("capacity-high-req/s", 6.5), v("probes", 2))
	add(measure.Cell{Experiment: "turns", Name: "Turns/turns=2/users=4", Batch: 4}, "", v(measure.TurnTTFT(1), 1e7), v(measure.TurnTTFT(2), 2e7), v("prefix-hit-%", 60), v("prefix-expected-%", 61))
	return run
}

func TestTablesOfLoads(t *testing.T) {
	r, err := New([]*results.Run{loaded()})
	require.NoError(t, err)
	cells := map[string]string{}
	columns := map[string]string{}
	for _, table := range r.doc.Tables {
		var names, heads []string
		for _, row := range table.Rows {
			names = append(names, row.Cell)
		}
		for _, c := range table.Columns {
			heads = append(heads, c.Name)
		}
		cells[table.Title], columns[table.Title] = strings.Join(names, " "), strings.Join(heads, ", ")
		assert.Equal(t, table.ID == "other" || table.ID == "probes", table.Folded, table.Title)
	}
	load, shared, probes := "Arrivals, goodput and capacity (SLO ttft:200ms)", "Shared prefixes and conversations", "Probes of the search, by their load"
	assert.Equal(t, "Arrivals/rate=4 Arrivals/rate=9 Capacity/rate", cells[load], "in order, and only what has such metrics")
	assert.Equal(t, "Turns/turns=2/users=4", cells[shared])
	assert.Equal(t, "TTFT turn 1, TTFT turn 2, prefix-hit, prefix-expected", columns[shared])
	assert.Equal(t, "Capacity/rate=3.25 Capacity/rate=6.5", cells[probes], "by their load")
	assert.NotContains(t, cells["Throughput and latency"], "Capacity")
	assert.NotContains(t, columns["Throughput and latency"], "LATE")

	var text strings.Builder
	require.NoError(t, r.Markdown(&text))
	assert.Contains(t, text.String(), "6.00 req/s** \\[5.50, 6.50\\], by a search: at that rate 95 % of the requests meet ttft:200ms.")
	assert.Contains(t, text.String(), "![How many requests a second can it serve within the SLO?](rate-goodput.svg)")
	assert.NotContains(t, text.String(), "Capacity/rate=3.25 |", "the page has the probes")
}

// TestPrefixHitsOfOtherRuns: where no prompts were made for the prefix cache there is no table of it.
func TestPrefixHitsOfOtherRuns(t *testing.T) {
	run := memory("plain", small)
	for i := range run.Rows {
		run.Rows[i].Measured.Values = append(run.Rows[i].Measured.Values, measure.Value{Metric: "prefix-hit-%"})
	}
	r, err := New([]*results.Run{run})
	require.NoError(t, err)
	for _, table := range r.doc.Tables {
		assert.NotContains(t, []string{"load", "prefix", "probes"}, table.ID)
	}
}
