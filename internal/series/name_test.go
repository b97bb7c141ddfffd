package series

import (
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/otlptranslator"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/measure"
)

func TestOf(t *testing.T) {
	for metric, want := range map[string]Name{
		"tok/s":           {"vllmbench_row_tokens_per_second", "vllmbench.row.tokens", "{token}/s", "", 1},
		"total-tok/s":     {"vllmbench_row_total_tokens_per_second", "vllmbench.row.total_tokens", "{token}/s", "", 1},
		"p50-ttft-ns":     {"vllmbench_row_ttft_seconds", "vllmbench.row.ttft", "s", "0.5", 1e-9},
		"p99-itl-ns":      {"vllmbench_row_itl_seconds", "vllmbench.row.itl", "s", "0.99", 1e-9},
		"mean-e2e-ns":     {"vllmbench_row_mean_e2e_seconds", "vllmbench.row.mean_e2e", "s", "", 1e-9},
		"gpu-util-%":      {"vllmbench_row_gpu_util_ratio", "vllmbench.row.gpu_util", "1", "", 1e-2},
		"gpu-mem-B":       {"vllmbench_row_gpu_mem_bytes", "vllmbench.row.gpu_mem", "By", "", 1},
		"J/tok":           {"vllmbench_row_joules_per_token", "vllmbench.row.joules_per_token", "J/{token}", "", 1},
		"cpu-ns/tok":      {"vllmbench_row_cpu_seconds_per_token", "vllmbench.row.cpu_seconds_per_token", "s/{token}", "", 1e-9},
		"in-flight":       {"vllmbench_row_in_flight", "vllmbench.row.in_flight", "", "", 1},
		"preemptions/op":  {"vllmbench_row_preemptions_per_operation", "vllmbench.row.preemptions_per_operation", "{preemptions}/{operation}", "", 1},
		"a new thing-%/s": {"vllmbench_row_a_new_thing_ratio_per_second", "vllmbench.row.a_new_thing_ratio", "1/s", "", 1e-2},
	} {
		assert.Equal(t, want, Of(metric), metric)
	}
}

// Every metric has a name by Prometheus' rules, and no two metrics one series.
func TestNamesOfAllMetrics(t *testing.T) {
	seen := map[string]string{}
	for _, m := range measure.Metrics([]int{1, 50, 99}) {
		n := Of(m.Name)
		assert.Regexp(t, regexp.MustCompile(`^vllmbench_row_[a-z][a-z0-9]*(_[a-z0-9]+)*$`), n.Prometheus)
		assert.Regexp(t, regexp.MustCompile(`^vllmbench\.row\.[a-z][a-z0-9]*(_[a-z0-9]+)*$`), n.OTel)
		key := n.Prometheus + " " + n.Quantile
		assert.Empty(t, seen[key], "%s and %s", m.Name, seen[key])
		seen[key] = m.Name
	}
	assert.NotEmpty(t, seen)
}

// No two series of OpenTelemetry share a name, nor any of those beside the metrics.
func TestNamesOfInstruments(t *testing.T) {
	unit := map[string]string{}
	names := []Name{Void, Requests, Length}
	for _, m := range measure.Metrics(measure.DefaultQuantiles) {
		names = append(names, Of(m.Name))
	}
	for i, n := range names {
		was, seen := unit[n.OTel]
		assert.True(t, !seen || was == n.Prometheus && i > 2, "%s is %s and %s", n.OTel, was, n.Prometheus)
		unit[n.OTel] = n.Prometheus
	}
}

// The projects' own translation turns the one name into the other.
func TestTranslation(t *testing.T) {
	namer := otlptranslator.MetricNamer{WithMetricSuffixes: true}
	for _, m := range measure.Metrics(measure.DefaultQuantiles) {
		n := Of(m.Name)
		got, err := namer.Build(otlptranslator.Metric{Name: n.OTel, Unit: n.Unit, Type: otlptranslator.MetricTypeGauge})
		require.NoError(t, err)
		assert.Equal(t, n.Prometheus, got, m.Name)
	}
}

func FuzzOf(f *testing.F) {
	for _, m := range measure.Metrics(measure.DefaultQuantiles) {
		f.Add(m.Name)
	}
	f.Add("p-ns")
	f.Add("-/")
	f.Fuzz(func(t *testing.T, metric string) {
		n := Of(metric)
		assert.Regexp(t, `^vllmbench_row_[a-z0-9_]*$`, n.Prometheus)
		assert.True(t, strings.HasPrefix(n.OTel, "vllmbench.row."))
		assert.Positive(t, n.Scale)
	})
}
