package results

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"

	"vllmbench/internal/engine"
	"vllmbench/internal/measure"
)

// SaveBench writes what WriteBench does into the file at path, in place of an older one.
func SaveBench(path string, r *Run) error {
	return replace(path, func(w io.Writer) error { return WriteBench(w, r) })
}

// WriteBench writes the run as go test -bench would have printed it, for
// benchstat: a line for each row that is not void, with the metrics that are shown
// without -metrics, and comments on what is void or left out.
func WriteBench(w io.Writer, r *Run) error {
	t := &benchText{w: w, lines: benchfmt.NewWriter(w), shown: measure.Metrics(r.Header.Quantiles()), said: map[[2]string]bool{}}
	t.shown = slices.DeleteFunc(t.shown, func(m measure.Metric) bool { return !m.Default })
	t.header(r)
	for i := range r.Rows {
		t.row(&r.Rows[i].Measured)
	}
	return t.err
}

// Quantiles are those of each latency that the run was asked for, in percent.
func (h *Header) Quantiles() (quantiles []int) {
	for part := range strings.SplitSeq(h.Flags["quantiles"], ",") {
		if q, err := strconv.Atoi(part); err == nil && 0 < q && q < 100 {
			quantiles = append(quantiles, q)
		}
	}
	if quantiles == nil {
		return measure.DefaultQuantiles
	}
	return quantiles
}

// A benchText is a text that is being written.
type benchText struct {
	w     io.Writer
	lines *benchfmt.Writer
	shown []measure.Metric
	said  map[[2]string]bool // cells and metrics of which a comment has said why they were left out
	err   error              // the first
}

func (t *benchText) printf(format string, args ...any) {
	_, err := fmt.Fprintf(t.w, format+"\n", args...)
	t.err = cmp.Or(t.err, err)
}

// header prints what decides whether two runs may be compared, and says of what the run was made.
func (t *benchText) header(r *Run) {
	var info engine.Info
	// A header that another program wrote may hold any JSON as the server.
	_ = json.Unmarshal(r.Header.Server, &info)
	var workload []string
	for _, f := range r.Facts() {
		if f.Group == FactWorkload {
			workload = append(workload, f.Name+" "+f.Value)
		}
	}
	for _, c := range [][2]string{{"server", string(info.Kind)}, {"model", info.Model}, {"workload", strings.Join(workload, ", ")}} {
		if c[1] != "" {
			t.printf("%s: %s", c[0], oneLine(c[1]))
		}
	}
	for _, m := range t.shown {
		if m.Better != "" && slices.ContainsFunc(r.Rows, func(row Row) bool { _, has := row.Measured.Value(m.Name); return has }) {
			t.printf("Unit %s better=%s", m.Name, m.Better)
		}
	}
	t.printf("# url %s, version %s, context %s tokens", oneLine(cmp.Or(info.URL, "unknown")), oneLine(cmp.Or(info.Version, "unknown")), cmp.Or(count(info.MaxModelLen), "unknown"))
	if set := info.Settings(); len(set) > 0 {
		t.printf("# server settings: %s", oneLine(strings.Join(set, " ")))
	}
	t.printf("# stamps: %s", r.Header.Stamps)
	if m := r.Header.Merged; m != nil {
		for _, note := range m.Notes {
			t.printf("# %s", note)
		}
	}
	for _, warning := range r.Warnings {
		t.printf("# %s", warning)
	}
}

func (t *benchText) row(m *measure.Row) {
	if len(m.Void) > 0 {
		t.printf("# void: %s: %s", m.Name, strings.Join(m.Void, "; "))
		return
	}
	line := &benchfmt.Result{Name: benchfmt.Name(m.Name), Iters: max(m.Ops, 1)}
	var reasons []string
	metrics := map[string][]string{}
	for _, shown := range t.shown {
		if v, ok := m.Value(shown.Name); ok {
			line.Values = append(line.Values, benchfmt.Value{Value: v, Unit: shown.Name})
		}
		i := slices.IndexFunc(m.LeftOut, func(l measure.LeftOut) bool { return l.Metric == shown.Name })
		key := [2]string{m.Name, shown.Name}
		if i < 0 || t.said[key] {
			continue
		}
		t.said[key] = true
		reason := m.LeftOut[i].Reason
		if !slices.Contains(reasons, reason) {
			reasons = append(reasons, reason)
		}
		metrics[reason] = append(metrics[reason], shown.Name)
	}
	if len(line.Values) > 0 {
		t.err = cmp.Or(t.err, t.lines.Write(line))
	}
	for _, reason := range reasons {
		t.printf("# left out: %s in %s, because: %s", strings.Join(metrics[reason], ", "), m.Name, reason)
	}
}
