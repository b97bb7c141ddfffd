package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// kept is a run that this module keeps.
func kept(name string) string { return filepath.Join("..", "..", "results", name) }

func TestCompare(t *testing.T) {
	old, new := kept("baseline"), kept("week3.txt")
	for _, c := range []struct {
		name   string
		args   []string
		status int
		says   string
	}{
		{"no gate", []string{old, new}, 0, "different: server settings: max-num-seqs 1024 -> 8, num-gpu-blocks 130391 -> 132166\n"},
		{"fails", []string{"-gate", "tok/s:3%", old, new}, 1, "\nFAIL: "},
		{"inconclusive", []string{"-gate", "tok/s:3%", "-filter", ".name:Latency", old, new}, 2, "\nINCONCLUSIVE: 0 pass, 0 fail, 1 inconclusive\n"},
		{"passes", []string{"-gate=tok/s:3%", "-filter=/batch:1", "-alpha=0.01", old, new}, 0, "\nPASS: 1 pass, 0 fail, 0 inconclusive\n"},
		{"only the geomean", []string{"-gate=tok/s:3%", "-gate-on=geomean", old, new}, 1, "\n1 comparison, family-wise error 5"},
		{"other models", []string{"-allow=model,workload", kept("baseline.txt"), kept("cpu-baseline.txt")}, 0, "warning: the runs differ in model name (qwen2.5-7b and tiny)\n"},
		{"other models, by force", []string{"-force", "-metrics=tok/s", kept("baseline.txt"), kept("cpu-baseline.txt")}, 0, "warning: the runs differ in model name (qwen2.5-7b and tiny)\n"},
		{"Markdown", []string{"-format=md", old, new}, 0, "\n### tok/s, higher is better\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			assert.Equal(t, c.status, compareRuns(c.args, &stdout, &stderr), stderr.String())
			assert.Contains(t, stdout.String(), c.says)
			assert.Empty(t, stderr.String())
		})
	}
}

func TestCompareJSON(t *testing.T) {
	var stdout, stderr bytes.Buffer
	require.Equal(t, 1, compareRuns([]string{"-format=json", "-gate=tok/s:3%,p50-e2e-ns:5%", kept("baseline"), kept("week3")}, &stdout, &stderr))
	var report struct {
		Verdict  string
		Verdicts map[string]int
		Metrics  []struct{ Metric string }
	}
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &report))
	assert.Equal(t, "FAIL", report.Verdict)
	assert.Equal(t, 38, report.Verdicts["PASS"]+report.Verdicts["FAIL"]+report.Verdicts["INCONCLUSIVE"])
	assert.Len(t, report.Metrics, 2)
}

// TestCompareRefuses: bad input exits with 3, one sentence a reason, and prints no table.
func TestCompareRefuses(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.txt")
	require.NoError(t, os.WriteFile(empty, []byte("PASS\n"), 0o666))
	old, new := kept("baseline"), kept("week3")
	for _, c := range []struct {
		name  string
		args  []string
		lines int
		says  string
	}{
		{"one run", []string{old}, 1, "1 runs are named: name two, the old one first, after the flags"},
		{"flags after the runs", []string{old, new, "-gate=tok/s:3%"}, 1, "3 runs are named"},
		{"unknown flag", []string{"-x", old, new}, 1, "flag provided but not defined: -x"},
		{"no such run", []string{old, "none"}, 1, "cannot read the run: "},
		{"no result", []string{old, empty}, 1, empty + " holds no result of a benchmark"},
		{"bad gate", []string{"-gate=tok/s:3", old, new}, 1, `gate "tok/s:3" is none`},
		{"unknown metric", []string{"-gate=tokens:3%", old, new}, 1, "tokens is in neither run: name one of tok/s, "},
		{"bad format", []string{"-format=pdf", old, new}, 1, `format "pdf" is none: text, md and json are`},
		{"bad filter", []string{"-filter=(", old, new}, 1, `filter "(": `},
		{"another model", []string{kept("baseline.txt"), kept("cpu-baseline.txt")}, 1, "the runs differ in model name (qwen2.5-7b and tiny): compare runs of one, or give -allow model"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			assert.Equal(t, 3, compareRuns(c.args, &stdout, &stderr))
			assert.Empty(t, stdout.String())
			assert.True(t, strings.HasPrefix(stderr.String(), "vllmbench compare: "+c.says), stderr.String())
			assert.Equal(t, c.lines, strings.Count(stderr.String(), "\n"), stderr.String())
		})
	}
}

func TestCompareHelp(t *testing.T) {
	var stdout, stderr bytes.Buffer
	require.Equal(t, 0, compareRuns([]string{"-h"}, &stdout, &stderr))
	assert.Contains(t, stdout.String(), "usage: vllmbench compare [flags] OLD NEW")
	assert.Contains(t, stdout.String(), "-gate METRIC:P%,...")
	assert.Empty(t, stderr.String())
}
