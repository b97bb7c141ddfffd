package series

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func saved() *results.Run {
	row := func(cell string, after time.Duration, void ...string) results.Row {
		return results.Row{Start: began.Add(after), Measured: measure.Row{
			Cell: measure.Cell{Name: cell}, Window: measure.Window{From: time.Second, To: 3 * time.Second}, Requests: 7, Void: void,
			Values: []measure.Value{{Metric: "tok/s", Value: 40}, {Metric: "p50-ttft-ns", Value: 25e6}},
		}}
	}
	return &results.Run{
		Name:   "base",
		Header: results.Header{Server: json.RawMessage(`{"kind":"vllm","model":"org/m\u00e9"}`)},
		Rows:   []results.Row{row("Latency", time.Minute), row("Throughput/batch=8", 0, "a request failed")},
	}
}

// A row's values are at the end of its window, in base units; a void row has none.
func TestOfRuns(t *testing.T) {
	got := OfRuns([]*results.Run{saved()})
	first, second := began.Add(2*time.Second), began.Add(time.Minute+2*time.Second)
	of := func(cell string, more ...Label) []Label {
		return append(append([]Label{{"cell", cell}, {"model_name", "org/mé"}}, more...), Label{"run", "base"}, Label{"server", "vllm"})
	}
	assert.Equal(t, []Sample{
		{Value{Void, 1}, of("Throughput/batch=8"), first},
		{Value{Void, 0}, of("Latency"), second},
		{Value{Requests, 7}, of("Latency"), second},
		{Value{Length, 2}, of("Latency"), second},
		{Value{Of("tok/s"), 40}, of("Latency"), second},
		{Value{Of("p50-ttft-ns"), 0.025}, of("Latency", Label{"quantile", "0.5"}), second},
	}, got)
}

// A header of another program, and bytes that are no text, are no reason to fail.
func TestOfRunsUnknown(t *testing.T) {
	run := saved()
	run.Header.Server = json.RawMessage(`[1]`)
	run.Rows = run.Rows[1:]
	run.Rows[0].Measured.Name = "a\xffb"
	assert.Equal(t, []Label{{"cell", "a?b"}, {"run", "base"}}, OfRuns([]*results.Run{run})[0].Labels)
}
