package measure

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/gpuprobe"
)

var update = flag.Bool("update", false, "rewrite docs/metrics.md")

const preface = `# Every metric and how it is measured

This page is generated from the tables that the benchmarks themselves use (make docs); a test fails when it is out of date.

**The window.** A cell keeps its number of requests in flight without a pause: a ramp of one operation, the timed window, a tail that is
not timed. The window begins when the ramp's last token arrives, and ends when the last token of its last operation does.

**What is credited to it.** Each token by its own arrival, whichever request it belongs to. A request counts for the window in which it
ended, its TTFT for the one in which its first token arrived: under a steady load as many requests begin before a window and end in it as
the other way round.

**The stamps.** An arrival is when the client's kernel received the bytes (SO_TIMESTAMPING, on Linux), so that a client that is slow to
read delays no token. Elsewhere, and with -user-stamps, it is when the client read them; every output says which.

**Left out.** A metric is not printed when a rule says that it is not proven; the rules that can touch it stand beside it, and
[below](#rules) when they apply. Besides, a metric is left out where neither the server's counters nor the stamps nor the GPU tell it
(rule untold). When requests failed, when the server's counters and ours differ, or when connections were opened inside the window, the
whole row is void and has no metric.

Metrics marked * are on the benchmark line by default, the others with -metrics all; a recorded run has all of them.
`

// page is docs/metrics.md.
func page(w io.Writer) {
	fmt.Fprint(w, preface)
	for _, g := range Groups(DefaultQuantiles) {
		fmt.Fprintf(w, "\n## %s\n\nTaken by %s.\n", g.Title, g.Clock)
		if g.Title == "Latency" {
			fmt.Fprintln(w)
			for _, l := range latencies {
				fmt.Fprintf(w, "- **%s**: %s\n", strings.ToUpper(l.name), l.doc)
			}
		}
		all := touching(g.Metrics...)
		if len(all) > 0 {
			fmt.Fprintf(w, "\nEach of them can be left out by: %s.\n", names(all))
		}
		fmt.Fprintln(w, "\n| metric | | unit | better | what it is | left out by |\n|---|---|---|---|---|---|")
		for _, m := range g.Metrics {
			row(w, m, all)
		}
	}
	fmt.Fprint(w, "\n## Rules\n\n| rule | when it applies | limit |\n|---|---|---|\n")
	for _, r := range Rules() {
		limit := ""
		if known(r.Name) {
			limit = fmt.Sprint(Limits{}.of(r.Name))
		}
		fmt.Fprintf(w, "| %s | %s | %s |\n", r.Name, r.When, limit)
	}
	fmt.Fprint(w, "\n## Limits\n\nThe thresholds of rules, changed by -limits NAME=NUMBER, which every output then says.\n\n| limit | default | what it bounds, and why |\n|---|---|---|\n")
	for _, l := range limits {
		fmt.Fprintf(w, "| %s | %v | %s |\n", l.name, l.value, l.why)
	}
}

// touching are the rules that can touch every one of metrics.
func touching(metrics ...Metric) []*Rule {
	return slices.DeleteFunc(Rules(), func(r *Rule) bool {
		return slices.ContainsFunc(metrics, func(m Metric) bool { return !r.Touches(m.Name) })
	})
}

func names(rules []*Rule) string {
	var out []string
	for _, r := range rules {
		out = append(out, r.Name)
	}
	return strings.Join(slices.Compact(out), ", ")
}

// row is a metric's line; the rules in said stand above the table.
func row(w io.Writer, m Metric, said []*Rule) {
	mark, doc := "", m.Doc
	if m.Default {
		mark = "*"
	}
	for _, l := range latencies { // their definitions stand above the table
		doc = strings.Replace(doc, l.doc, strings.ToUpper(l.name), 1)
	}
	rules := slices.DeleteFunc(touching(m), func(r *Rule) bool { return slices.Contains(said, r) })
	fmt.Fprintf(w, "| <a id=\"%s\"></a>%s | %s | %s | %s | %s | %s |\n", m.Name, m.Name, mark, Unit(m.Name), m.Better, doc, names(rules))
}

func TestMetricsPage(t *testing.T) {
	var got strings.Builder
	page(&got)
	path := filepath.Join("..", "..", "docs", "metrics.md")
	if *update {
		require.NoError(t, os.WriteFile(path+".new", []byte(got.String()), 0o666))
		require.NoError(t, os.Rename(path+".new", path))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got.String(), "docs/metrics.md is out of date: make docs")
}

// Every trouble that gpuprobe knows has its rule, but for the power cap.
func TestTroublesHaveRules(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("..", "..", "gpuprobe", "usage.go"))
	require.NoError(t, err)
	kinds := regexp.MustCompile(`(?m)^\tTrouble\w+ += "(.+)" `).FindAllStringSubmatch(string(source), -1)
	require.Len(t, kinds, len(troubleRules)+1)
	for _, k := range kinds {
		if k[1] != gpuprobe.TroublePowerCap {
			assert.NotEmpty(t, troubleRule(k[1]).When, k[1])
		}
	}
	assert.True(t, troubleRule("what nobody knows").Touches("gpu-W"))
}

// No rule touches a metric that is none, and a name is one metric's.
func TestRulesAreOfMetrics(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range Metrics(DefaultQuantiles) {
		assert.False(t, seen[m.Name], m.Name)
		seen[m.Name] = true
	}
	for _, r := range Rules() {
		touched := 0
		for name := range seen {
			if r.Touches(name) {
				touched++
			}
		}
		assert.Positive(t, touched, r.Name)
		assert.Less(t, touched, len(seen), r.Name)
		assert.NotEmpty(t, r.When)
	}
}
