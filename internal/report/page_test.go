package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"vllmbench/internal/results"
)

// pageOf writes the page of runs with its pictures.
func pageOf(t testing.TB, runs ...*results.Run) (*Report, string) {
	t.Helper()
	r, err := New(runs)
	require.NoError(t, err)
	var page bytes.Buffer
	require.NoError(t, r.HTML(&page, nil))
	return r, page.String()
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func TestPageIsWellFormed(t *testing.T) {
	runs := many(t, 2, shape{model: "m", repetitions: 2, seqs: 8, requests: 3, samples: 3})
	r, text := pageOf(t, runs...)
	doc, err := html.Parse(strings.NewReader(text))
	require.NoError(t, err)

	ids, scripts, places, links := map[string]bool{}, []string(nil), map[string]bool{}, []string(nil)
	policy := ""
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		for _, a := range n.Attr {
			assert.False(t, strings.HasPrefix(a.Key, "on"), "a handler in the text: %s", a.Key)
			assert.NotContains(t, []string{"src", "srcset", "style"}, a.Key, "on %s", n.Data)
		}
		if id := attribute(n, "id"); id != "" {
			assert.False(t, ids[id], "two elements have the id %s", id)
			ids[id] = true
		}
		switch n.Data {
		case "script":
			scripts = append(scripts, n.FirstChild.Data)
		case "link", "iframe", "img", "object", "form", "base":
			t.Errorf("the page has a %s element", n.Data)
		case "a":
			links = append(links, attribute(n, "href"))
		case "figure":
			places[attribute(n, "data-figure")] = true
		case "option":
			places[attribute(n, "value")] = true
		case "meta":
			if attribute(n, "http-equiv") == "Content-Security-Policy" {
				policy = attribute(n, "content")
			}
		}
	}
	require.Len(t, scripts, 3, "data, library, ours")
	assert.Equal(t, policyOf(scripts[1], scripts[2]), policy)
	for _, link := range links {
		assert.True(t, ids[strings.TrimPrefix(link, "#")], "%s leads nowhere", link)
	}
	for _, f := range r.figures {
		assert.True(t, places[f.ID], "figure %s has no place", f.ID)
	}
	for _, l := range r.timelines {
		assert.True(t, places[l.ID()], "timeline %s has no place", l.ID())
	}
	var data struct {
		Figures []struct{ ID string }
		Bands   map[string][][]any
	}
	require.NoError(t, json.Unmarshal([]byte(scripts[0]), &data))
	assert.Len(t, data.Figures, len(r.figures))
	require.Len(t, data.Bands, 2, "of two runs")
	assert.Equal(t, []any{0.0, 1.0, "window", "Latency"}, data.Bands["run-1"][0])
	assert.Contains(t, places, "gpu-timeline-1")
}

func policyOf(scripts ...string) string { return policy(scripts...) }

func TestPageShowsHostileTextAsText(t *testing.T) {
	_, text := pageOf(t, spoilt(t), memory("<svg onload=alert(1)>", shape{model: "m", repetitions: 1, seqs: 8}))
	assert.NotContains(t, text, "<img")
	assert.NotContains(t, text, "<svg onload")
	assert.NotContains(t, text, "<b>m")
	assert.NotContains(t, text, "\x1b")
	assert.NotContains(t, text, "\u202e")
	assert.Contains(t, text, "&lt;img src=x onerror=alert(1)&gt;")
	assert.Equal(t, 3, strings.Count(text, "</script>"), "of the page's own three")
	assert.NotContains(t, text, "987")
}

func TestSimulatedIsSaid(t *testing.T) {
	run := memory("a", small)
	run.Header.Simulated = true
	r, text := pageOf(t, run)
	assert.Contains(t, text, "SIMULATED: the server of a is the embedded one")
	var md bytes.Buffer
	require.NoError(t, r.Markdown(&md))
	assert.Contains(t, md.String(), "> **SIMULATED**: the server of a is the embedded one")
	_, real := pageOf(t, memory("a", small))
	assert.NotContains(t, real, "SIMULATED")
}

func TestWhyThereIsNoTimeline(t *testing.T) {
	known := memory("known", small)
	unknown := memory("unknown", small)
	unknown.Header.Devices = nil
	for i := range unknown.Rows {
		unknown.Rows[i].Measured.Values = unknown.Rows[i].Measured.Values[:8]
	}
	old := memory("old", small)
	old.Header.Devices = nil
	text := memory("text", small)
	text.Text = true
	r, err := New([]*results.Run{known, unknown, old, text})
	require.NoError(t, err)
	said := strings.Join(r.noTimeline(), "\n")
	assert.Contains(t, said, "known: its GPUs are known, but no sample of them was saved")
	assert.Contains(t, said, "unknown: no GPU was watched")
	assert.Contains(t, said, "old: rows have GPU metrics, but the run was recorded before samples were kept")
	assert.Contains(t, said, "text: a text of go test keeps neither requests nor GPU samples")
}

// most is the shape and number of runs up to which the page promises its size.
var most = shape{model: "m", repetitions: 1, seqs: 8, requests: 20, samples: 20}

func TestPageOfTwentyRunsIsSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("twenty runs take seconds")
	}
	r, err := New(many(t, 20, most))
	require.NoError(t, err)
	pictures, err := r.pictures("svg")
	require.NoError(t, err)
	var page bytes.Buffer
	require.NoError(t, r.HTML(&page, pictures))
	t.Logf("report.html of 20 runs of 18 cells: %d bytes", page.Len())
	assert.Less(t, page.Len(), 2_000_000)
	assert.Contains(t, page.String(), "<svg", "and has room for pictures")
}

func BenchmarkWrite(b *testing.B) {
	runs := many(b, 20, most)
	dir := b.TempDir()
	var paths []string
	for b.Loop() {
		r, err := New(runs)
		require.NoError(b, err)
		paths, err = r.Write(dir)
		require.NoError(b, err)
	}
	b.ReportMetric(float64(fileSize(b, paths[0])), "B/page")
}
