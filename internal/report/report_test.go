package report

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/answers"
	"vllmbench/internal/figure"
	"vllmbench/internal/results"
)

var small = shape{model: "m", repetitions: 6, seqs: 8}

func TestNewRefuses(t *testing.T) {
	twice := memory("a", small)
	for _, c := range []struct {
		says string
		runs []*results.Run
	}{
		{"no run is named: give the folder of one, such as results/baseline", nil},
		{"two runs are named a: rename the folder or file of one", []*results.Run{twice, twice}},
		{"run empty has no row: nothing was measured, or nothing was saved", []*results.Run{{Name: "empty"}}},
	} {
		_, err := New(c.runs)
		require.EqualError(t, err, c.says)
	}
}

// TestMarkdownGolden has answers of its own, so that it fails for the report's changes alone.
func TestMarkdownGolden(t *testing.T) {
	r := &Report{runs: []*results.Run{spoilt(t), memory("new", shape{model: "m", repetitions: 4, seqs: 32})}}
	for _, run := range r.runs {
		r.summaries = append(r.summaries, answers.Summary{
			Run: run.Name,
			Answers: []answers.Answer{
				{ID: "scaling", Question: "At what batch?", Status: answers.Answered, Text: "Up to 8.10 [7.74, 8.81] at " + hostile + ". Then no more.", Evidence: []string{"1: 207 | 8: 1500", hostile}, Figure: "throughput"},
				{ID: "idle", Question: "Is it idle?", Status: answers.NotEnough, Text: "1. Not known: run it with -gpu=auto.", Figure: "gpu-timeline-1"},
			},
			Warnings: []answers.Warning{{What: "Requests wait 1.30 s.", Evidence: "engine-queue-ns", Try: "--max-num-seqs 32"}},
		})
	}
	r.figures = []figure.Figure{{ID: "throughput"}}
	r.doc = newDocument(r)
	var text bytes.Buffer
	require.NoError(t, r.Markdown(&text))
	golden(t, "report.md", text.String())
	assert.NotContains(t, text.String(), "987", "what is void stands nowhere but in its reason")
	assert.NotContains(t, text.String(), "<img")
	assert.NotContains(t, text.String(), "@user")
}

func TestVoidRowsEnterNothing(t *testing.T) {
	run := spoilt(t)
	r, err := New([]*results.Run{run})
	require.NoError(t, err)
	assert.Len(t, r.doc.Void, 6)
	assert.Equal(t, 6, r.doc.Runs[0].Void)
	for _, row := range r.doc.Tables[0].Rows {
		if row.Cell == "Throughput/batch=16" {
			assert.Zero(t, row.N)
			assert.Contains(t, row.Void, "3 requests failed")
		} else {
			assert.Equal(t, 6, row.N)
			assert.Empty(t, row.Void)
		}
	}
}

func TestDifferencesAreThoseThatTwoRunsTell(t *testing.T) {
	a, b := memory("a", small), memory("b", shape{model: "m", repetitions: 6, seqs: 32})
	b.Header.Environment.Kernel = "" // not told is no difference
	r, err := New([]*results.Run{a, b})
	require.NoError(t, err)
	var names []string
	for _, f := range r.doc.Differ {
		names = append(names, f.Group+" "+f.Name)
	}
	assert.Equal(t, []string{"server settings max-num-seqs"}, names)
	assert.Equal(t, []factValue{{Value: "8", Runs: []string{"a"}}, {Value: "32", Runs: []string{"b"}}}, r.doc.Differ[0].Values)
	assert.Equal(t, "m · A GPU · vllm 0.32.0", r.doc.Title)
	assert.Empty(t, r.doc.Runs[0].Own, "what the title says is not said again")
}

func TestWriteReplacesWholeFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "report")
	r, err := New([]*results.Run{memory("a", small)})
	require.NoError(t, err)
	for range 2 {
		paths, err := r.Write(dir)
		require.NoError(t, err)
		assert.Equal(t, []string{filepath.Join(dir, "report.html"), filepath.Join(dir, "report.md")}, paths[:2])
		files, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Len(t, files, len(paths), "nothing is left beside them")
		for _, f := range r.figures {
			assert.Contains(t, paths, filepath.Join(dir, f.ID+".svg"))
			assert.Contains(t, paths, filepath.Join(dir, f.ID+".png"))
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "report.md"))
	require.NoError(t, err)
	for _, link := range strings.Split(string(text), "](")[1:] {
		name, _, _ := strings.Cut(link, ")")
		assert.FileExists(t, filepath.Join(dir, name))
	}
}

func TestWriteFailsBeforeItWrites(t *testing.T) {
	root := t.TempDir()
	file := filepath.Join(root, "file")
	require.NoError(t, os.WriteFile(file, []byte("mine"), 0o666))
	taken := filepath.Join(root, "taken")
	require.NoError(t, os.MkdirAll(filepath.Join(taken, "report.html", "x"), 0o777))
	r, err := New([]*results.Run{memory("a", small)})
	require.NoError(t, err)
	_, err = r.Write(filepath.Join(file, "report"))
	require.ErrorContains(t, err, "name a folder that can be written with -o")
	_, err = r.Write(taken)
	require.ErrorContains(t, err, "writing the report")
	files, err := os.ReadDir(taken)
	require.NoError(t, err)
	assert.Len(t, files, 1, "what was beside its place is gone")
}
