package series

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// Names of labels. That of the model is vLLM's own, so that one variable of a
// dashboard chooses in both.
const (
	LabelRun      = "run"
	LabelServer   = "server" // its kind: "vllm", "vllmsim", ...
	LabelModel    = "model_name"
	LabelCell     = "cell"
	LabelQuantile = "quantile"
)

// What a row has beside its metrics.
var (
	Void     = Name{Prometheus: rows + "void", OTel: namespace + ".row.void", Scale: 1}
	Requests = Name{Prometheus: rows + "ended_requests", OTel: namespace + ".row.ended_requests", Unit: "{request}", Scale: 1}
	Length   = Name{Prometheus: rows + "window_seconds", OTel: namespace + ".row.window", Unit: "s", Scale: 1}
)

// A Value is one series of a row at one instant.
type Value struct {
	Name
	Value float64 // in the unit of the name
}

// OfRow is what a row tells. A void row tells that it is void, and no more.
func OfRow(row *measure.Row) []Value {
	if len(row.Void) > 0 {
		return []Value{{Void, 1}}
	}
	out := []Value{{Void, 0}, {Requests, float64(row.Requests)}, {Length, row.Window.Length().Seconds()}}
	for _, v := range row.Values {
		n := Of(v.Metric)
		out = append(out, Value{n, v.Value * n.Scale})
	}
	return out
}

// A Label is a dimension of a series.
type Label struct{ Name, Value string }

// A Sample is one value of one series.
type Sample struct {
	Value
	Labels []Label // in the order of their names
	At     time.Time
}

// OfRuns is what the rows of saved runs tell, each at the end of its window, in
// the order of time.
func OfRuns(runs []*results.Run) (out []Sample) {
	for _, run := range runs {
		out = append(out, ofRun(run)...)
	}
	slices.SortStableFunc(out, func(a, b Sample) int { return a.At.Compare(b.At) })
	return out
}

func ofRun(run *results.Run) (out []Sample) {
	var server struct {
		Kind  string `json:"kind"`
		Model string `json:"model"`
	}
	_ = json.Unmarshal(run.Header.Server, &server) // of another program's header neither is known
	for i := range run.Rows {
		row := &run.Rows[i]
		at := row.Start.Add(row.Measured.Window.Length())
		for _, v := range OfRow(&row.Measured) {
			out = append(out, Sample{v, labels(
				Label{LabelCell, row.Measured.Name}, Label{LabelModel, server.Model}, Label{LabelQuantile, v.Quantile},
				Label{LabelRun, run.Name}, Label{LabelServer, server.Kind},
			), at})
		}
	}
	return out
}

// labels leaves out those that are empty, which to Prometheus are none.
func labels(all ...Label) (out []Label) {
	for _, l := range all {
		if l.Value != "" {
			out = append(out, Label{l.Name, strings.ToValidUTF8(l.Value, "?")})
		}
	}
	slices.SortFunc(out, func(a, b Label) int { return cmp.Compare(a.Name, b.Name) })
	return out
}
