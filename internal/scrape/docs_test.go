package scrape

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/measure"
	"vllmbench/internal/series"
)

var update = flag.Bool("update", false, "rewrite the tables of docs/export.md")

const heading = "\n## Every series\n"

// tables are the generated part of docs/export.md.
func tables(t *testing.T) string {
	t.Helper()
	var w strings.Builder
	fmt.Fprint(&w, heading, "\nGenerated from the code (make docs); a test fails when it is out of date. Those of the page have the labels `server` and `model_name` too.\n")
	fmt.Fprint(&w, "\n### While a run lasts\n\n| series | kind | labels | what it is |\n|---|---|---|---|\n")
	f := newFamilies()
	f.cell("A").observe(answered(2))
	r := prometheus.NewRegistry()
	r.MustRegister(f)
	all, err := r.Gather()
	require.NoError(t, err)
	for _, family := range all {
		var labels []string
		for _, l := range family.GetMetric()[0].GetLabel() {
			labels = append(labels, "`"+l.GetName()+"`")
		}
		fmt.Fprintf(&w, "| `%s` | %s | %s | %s |\n", family.GetName(), strings.ToLower(family.GetType().String()), strings.Join(labels, " "), family.GetHelp())
	}
	for _, g := range gpuFigures {
		kind := "gauge"
		if g.kind == prometheus.CounterValue {
			kind = "counter"
		}
		fmt.Fprintf(&w, "| `%sgpu_%s` | %s | `gpu` `uuid` `gpu_name` | %s |\n", namespace, g.name, kind, g.help)
	}
	fmt.Fprint(&w, "\n### Of each row\n\nGauges, with the label `cell`; what is sent from a saved run has the label `run` besides. A series with quantiles has the label `quantile`, 0 to 1.\n",
		"\n| series | OpenTelemetry: instrument | unit | metric |\n|---|---|---|---|\n")
	line := func(n series.Name, what ...string) {
		fmt.Fprintf(&w, "| `%s` | `%s` | %s | %s |\n", n.Prometheus, n.OTel, n.Unit, strings.Join(what, " "))
	}
	line(series.Void, "1 if the row is void, which then has no other series; else 0")
	line(series.Requests, "requests that ended in the window")
	line(series.Length, "the window's length")
	metrics := measure.Metrics(measure.DefaultQuantiles)
	for i, m := range metrics {
		n := series.Of(m.Name)
		if slices.ContainsFunc(metrics[:i], func(o measure.Metric) bool { return series.Of(o.Name).Prometheus == n.Prometheus }) {
			continue // another quantile of one that is listed
		}
		var of []string
		for _, o := range metrics[i:] {
			if series.Of(o.Name).Prometheus == n.Prometheus {
				of = append(of, fmt.Sprintf("[%s](metrics.md#%s)", o.Name, strings.ReplaceAll(o.Name, "%", "%25")))
			}
		}
		line(n, of...)
	}
	return w.String()
}

func TestExportPage(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "export.md")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	said, _, found := strings.Cut(string(text), heading)
	require.True(t, found)
	want := said + tables(t)
	if *update {
		require.NoError(t, os.WriteFile(path+".new", []byte(want), 0o666))
		require.NoError(t, os.Rename(path+".new", path))
		return
	}
	assert.Equal(t, want, string(text), "docs/export.md is out of date: make docs")
}
