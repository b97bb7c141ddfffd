package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/client"
	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// saveRun saves a run of one row in dir and ends it.
func saveRun(t *testing.T, dir string, ok bool) {
	t.Helper()
	w, err := results.Create(dir, results.Header{Stamps: "user"})
	require.NoError(t, err)
	require.NoError(t, w.Row(measure.Row{
		Cell:   measure.Cell{Experiment: "latency", Name: "Latency", Batch: 1},
		Values: []measure.Value{{Metric: "tok/s", Value: 40}},
	}, []client.Result{{Outcome: client.OK}}))
	require.NoError(t, w.Close(ok))
}

func TestExport(t *testing.T) {
	root := t.TempDir()
	saveRun(t, filepath.Join(root, "saved", "baseline"), true)
	saveRun(t, filepath.Join(root, "week3"), false)
	elsewhere := filepath.Join(root, "out")

	for _, c := range []struct {
		name string
		args []string
		into string
	}{
		{"beside the first run", nil, filepath.Join(root, "saved")},
		{"into another folder", []string{"-o", elsewhere}, elsewhere},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			args := append(c.args, filepath.Join(root, "saved", "baseline"), filepath.Join(root, "week3"))
			require.Equal(t, 0, export(args, &stdout, &stderr), stderr.String())
			var want strings.Builder
			for _, name := range []string{"latency_results.csv", "throughput_results.csv", "sequence_length_results.csv", "baseline_metrics.json", "week3_metrics.json"} {
				path := filepath.Join(c.into, name)
				want.WriteString(path + "\n")
				assert.FileExists(t, path)
			}
			assert.Equal(t, want.String(), stdout.String())
			assert.Equal(t, "vllmbench export: "+filepath.Join(root, "week3")+": the run did not end well: 1 rows are saved\n", stderr.String())
			text, err := os.ReadFile(filepath.Join(c.into, "latency_results.csv"))
			require.NoError(t, err)
			assert.Contains(t, string(text), "\nbaseline,")
			assert.Contains(t, string(text), "\nweek3,")
		})
	}
}

func TestExportRefuses(t *testing.T) {
	root := t.TempDir()
	saveRun(t, filepath.Join(root, "baseline"), true)
	file := filepath.Join(root, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o666))
	for _, c := range []struct {
		name string
		args []string
		says string
	}{
		{"no run named", nil, "no run is named: give the folder of one, such as results/baseline"},
		{"unknown flag", []string{"-x"}, "flag provided but not defined: -x"},
		{"no such folder", []string{filepath.Join(root, "none")}, "cannot read the run: "},
		{"no run there", []string{root}, root + " holds no run: it has no run.jsonl"},
		{"a file", []string{file}, "cannot read the run: "},
		{"twice the same", []string{filepath.Join(root, "baseline"), filepath.Join(root, "baseline")}, "two runs are named baseline: rename the folder of one"},
		{"no receiver", []string{"-remote-write", "http://127.0.0.1:1/x", filepath.Join(root, "baseline")}, "-remote-write: sending to http://127.0.0.1:1/x: "},
		{"no URL", []string{"-otlp", "here", filepath.Join(root, "baseline")}, "-otlp: the address is no URL of http or https: name one, as in "},
		{"no certificates", []string{"-otlp", "https://127.0.0.1:1", "-ca", file, filepath.Join(root, "baseline")}, "-ca: " + file + " has no certificate"},
		{"a file as output", []string{"-o", file, filepath.Join(root, "baseline")}, "exporting into " + file + ": "},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			require.Equal(t, 1, export(c.args, &stdout, &stderr))
			assert.Empty(t, stdout.String())
			assert.True(t, strings.HasPrefix(stderr.String(), "vllmbench export: "+c.says), stderr.String())
			assert.Equal(t, 1, strings.Count(stderr.String(), "\n"), "one line: %s", stderr.String())
		})
	}
}

// Rows are sent with the key that the environment holds, and no file is written.
func TestExportSends(t *testing.T) {
	root := t.TempDir()
	saveRun(t, filepath.Join(root, "baseline"), true)
	t.Setenv(pushToken, "hush")
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path+" "+r.Header.Get("Authorization"))
	}))
	defer server.Close()
	var stdout, stderr bytes.Buffer
	require.Equal(t, 0, export([]string{"-remote-write", server.URL, "-otlp", server.URL, filepath.Join(root, "baseline")}, &stdout, &stderr), stderr.String())
	assert.Equal(t, []string{"/api/v1/write Bearer hush", "/v1/metrics Bearer hush"}, asked)
	assert.Equal(t, "-remote-write: 4 samples sent\n-otlp: 4 samples sent\n", stdout.String())
	assert.NoFileExists(t, filepath.Join(root, "latency_results.csv"))
	assert.Empty(t, stderr.String())

	require.Equal(t, 0, export([]string{"-otlp", server.URL, "-o", root, filepath.Join(root, "baseline")}, &stdout, &stderr), stderr.String())
	assert.FileExists(t, filepath.Join(root, "latency_results.csv"))
}

func TestExportHelp(t *testing.T) {
	var stdout, stderr bytes.Buffer
	require.Equal(t, 0, export([]string{"-h"}, &stdout, &stderr))
	assert.Contains(t, stdout.String(), "usage: vllmbench export [flags] RUNDIR...")
	assert.Contains(t, stdout.String(), "-o DIR")
	assert.Empty(t, stderr.String())
}
