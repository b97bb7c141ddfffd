package vllmsim

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scrape reads a server's metrics.
func scrape(t testing.TB, url string) map[string]*dto.MetricFamily {
	t.Helper()
	_, body := do(t, "GET", url+"/metrics", "")
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(body))
	require.NoError(t, err)
	return families
}

// value returns a counter's or gauge's value, or a histogram's sum, of the one
// series that has all the labels ("name=value").
func value(t testing.TB, families map[string]*dto.MetricFamily, name string, labels ...string) float64 {
	t.Helper()
	require.Contains(t, families, "vllm:"+name)
	for _, m := range families["vllm:"+name].Metric {
		if !hasLabels(m, labels) {
			continue
		}
		return m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetHistogram().GetSampleSum()
	}
	t.Fatalf("no series %s with %v", name, labels)
	return 0
}

func hasLabels(m *dto.Metric, labels []string) bool {
	for _, want := range labels {
		if !slices.ContainsFunc(m.Label, func(l *dto.LabelPair) bool { return l.GetName()+"="+l.GetValue() == want }) {
			return false
		}
	}
	return true
}

func count(families map[string]*dto.MetricFamily, name string) int {
	return int(families["vllm:"+name].Metric[0].GetHistogram().GetSampleCount())
}

// signatures describes each of vLLM's families: type, labels and their fixed
// values, bounds. It leaves out the _created gauges of Python's client.
func signatures(families map[string]*dto.MetricFamily) map[string]string {
	out := make(map[string]string)
	for name, f := range families {
		if !strings.HasPrefix(name, "vllm:") || strings.HasSuffix(name, "_created") {
			continue
		}
		var series []string
		for _, m := range f.Metric {
			var parts []string
			for _, l := range m.Label {
				parts = append(parts, l.GetName()+"="+l.GetValue())
			}
			slices.Sort(parts)
			for _, b := range m.GetHistogram().GetBucket() {
				parts = append(parts, fmt.Sprint(b.GetUpperBound()))
			}
			series = append(series, strings.Join(parts, " "))
		}
		slices.Sort(series)
		out[name] = strings.ToLower(f.GetType().String()) + "; " + strings.Join(series, "; ")
	}
	return out
}

// TestMetricFamilies compares with a real vLLM's page (see TestGolden).
func TestMetricFamilies(t *testing.T) {
	const file = "testdata/metrics.txt"
	if *capture != "" {
		var lines []string
		for name, s := range signatures(scrape(t, *capture)) {
			lines = append(lines, name+": "+s+"\n")
		}
		slices.Sort(lines)
		require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "")), 0o644))
		return
	}
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	ours := signatures(scrape(t, start(t, tiny())))
	var absent []string
	for line := range strings.Lines(string(page)) {
		name, want, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		got, ok := ours[name]
		if !ok {
			absent = append(absent, strings.TrimPrefix(name, "vllm:"))
			continue
		}
		if name != "vllm:cache_config_info" { // whose values are the server's own
			assert.Equal(t, want, got, name)
		}
		delete(ours, name)
	}
	assert.Empty(t, ours, "vLLM has no such metrics")
	assert.Equal(t, []string{"mm_cache_hits_total", "mm_cache_queries_total"}, absent, "for what this server does not do: see docs/simulator.md")
}

func TestCacheConfigInfo(t *testing.T) {
	families := scrape(t, start(t, Config{NumGPUBlocksOverride: 4096, NoPrefixCaching: true}))
	assert.Equal(t, 1.0, value(t, families, "cache_config_info", "num_gpu_blocks=4096", "num_gpu_blocks_override=4096",
		"block_size=16", "kv_cache_size_tokens=65536", "kv_cache_max_concurrency=2", "enable_prefix_caching=False", "gpu_memory_utilization=0.92"))
}

func TestLengthBounds(t *testing.T) {
	assert.Equal(t, []float64{1, 2, 5, 10, 20, 50, 100}, lengthBounds(199))
	assert.Equal(t, []float64{1, 2, 5, 10, 20, 50, 100, 200}, lengthBounds(200))
}
