package results

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestForeignFilesAreClean gives every text in a run's files an escape sequence
// and a line's end: nothing of it is left in what is read.
func TestForeignFilesAreClean(t *testing.T) {
	const bad = "\x1b[2J\n\u202e\u009b"
	dir, text := saved(t)
	var spoil func(v any) any
	spoil = func(v any) any {
		switch v := v.(type) {
		case string:
			if strings.HasPrefix(v, "20") || strings.HasPrefix(v, "1900") { // a time
				return v
			}
			return bad + v
		case []any:
			for i := range v {
				v[i] = spoil(v[i])
			}
		case map[string]any:
			for key := range v {
				v[key] = spoil(v[key])
			}
		}
		return v
	}
	var spoilt bytes.Buffer
	for line := range bytes.Lines(text) {
		var v any
		decoder := json.NewDecoder(bytes.NewReader(line))
		decoder.UseNumber()
		require.NoError(t, decoder.Decode(&v))
		require.NoError(t, encoder(&spoilt).Encode(spoil(v)))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, runFile), spoilt.Bytes(), 0o666))
	run := reopen(t, dir)
	require.Len(t, run.Rows, 3)
	require.Len(t, run.GPU, 9)
	run.Header.Server = nil // what is shown of it comes from Facts
	shown := fmt.Sprintf("%+v %+v %+v %+v", run.Header, run.Rows, run.Warnings, reopen(t, dir).Facts())
	for _, r := range run.GPU {
		shown += fmt.Sprint(r.GPUs[0].Throttled)
	}
	assert.NotContains(t, shown, "\x1b")
	assert.NotContains(t, shown, "\n")
	assert.NotContains(t, shown, "\u202e")
	assert.NotContains(t, shown, "\u009b")
	assert.Contains(t, run.Rows[0].Measured.Name, "[2J")
	assert.Contains(t, shown, "[2J A GPU")
}

// TestForeignTextIsClean is the same for the text of go test -bench.
func TestForeignTextIsClean(t *testing.T) {
	const text = "server: vllm\x1b[2J\nmodel: m\u202e\ngpu: g\u009b\n# url http://h:1, version 1\x1b[31m, context 10\n" +
		"BenchmarkLat\x1b[2Jency-2 1 100 ns/op 40 tok/s\n--- FAIL: BenchmarkX\n    a.go:1: void: \x1b]0;x\x07\n"
	run, err := readText([]byte(text), "f")
	require.NoError(t, err)
	shown := fmt.Sprintf("%+v %+v %+v %+v", run.Header.Devices, run.Rows, run.Warnings, run.Facts())
	assert.NotRegexp(t, "[\x00-\x1f\x7f\u0080-\u009f\u202e]", shown)
}
