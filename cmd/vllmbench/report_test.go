package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReport(t *testing.T) {
	root := t.TempDir()
	baseline, cut := filepath.Join(root, "baseline"), filepath.Join(root, "cut")
	saveRun(t, baseline, true)
	saveRun(t, cut, false)
	text := filepath.Join(root, "text.txt")
	require.NoError(t, os.WriteFile(text, []byte("server: vllm\nmodel: m\x1b[31m\nBenchmarkLatency-2 3 100 ns/op 40 tok/s\n"), 0o666))
	file := filepath.Join(root, "file")
	require.NoError(t, os.WriteFile(file, []byte("no result"), 0o666))
	into := filepath.Join(root, "report")

	for _, c := range []struct {
		name           string
		args           []string
		status         int
		stdout, stderr string
	}{
		{"help", []string{"-h"}, 0, "usage: vllmbench report [-o DIR] RUN...", ""},
		{"no run", nil, 1, "", "vllmbench report: no run is named: give the folder of one, such as results/baseline\n"},
		{"a folder", []string{"-o", into, baseline}, 0, filepath.Join(into, "report.html") + "\n" + filepath.Join(into, "report.md") + "\n", ""},
		{"a text", []string{"-o", into, text}, 0, "text: ", "text.txt: "},
		{"a run that was killed", []string{"-o", into, cut, baseline}, 0, "cut: ", "cut: the run did not end well: 1 rows are saved\n"},
		{"no such folder", []string{"-o", into, filepath.Join(root, "none")}, 1, "", "none"},
		{"no result", []string{"-o", into, file}, 1, "", "file"},
		{"nowhere to write", []string{"-o", filepath.Join(file, "x"), baseline}, 1, "", "name a folder that can be written with -o"},
		{"unknown flag", []string{"-x"}, 1, "", "-x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			assert.Equal(t, c.status, run(append([]string{"report"}, c.args...), &stdout, &stderr), stderr.String())
			assert.Contains(t, stdout.String(), c.stdout)
			assert.Contains(t, stderr.String(), c.stderr)
			assert.Equal(t, c.stderr == "", stderr.Len() == 0, stderr.String())
			assert.NotContains(t, stdout.String()+stderr.String(), "\x1b")
			if c.status != 0 {
				assert.Equal(t, 1, bytes.Count(stderr.Bytes(), []byte("\n")), "one sentence")
			}
		})
	}
	assert.NoDirExists(t, filepath.Join(file, "x"))
}
