package results

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// saved is the text of a run of three rows, each behind a line of GPU samples.
func saved(t testing.TB) (dir string, text []byte) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "baseline")
	record(t, dir, "n", 3)
	text, err := os.ReadFile(filepath.Join(dir, runFile))
	require.NoError(t, err)
	return dir, text
}

func TestRunCutAtEveryByte(t *testing.T) {
	_, text := saved(t)
	for n := range len(text) {
		run, err := read(bytes.NewReader(text[:n]))
		lines := bytes.Count(text[:n], []byte("\n"))
		if text[n] == '\n' {
			lines++ // only the line's end is missing
		}
		if lines == 0 {
			require.Error(t, err, "cut at byte %d", n)
			continue
		}
		require.NoError(t, err, "cut at byte %d", n)
		require.Len(t, run.Rows, min((lines-1)/2, 3), "cut at byte %d", n)
		require.Len(t, run.GPU, 3*min(lines/2, 3), "cut at byte %d", n)
		require.Equal(t, lines == 8, run.Complete, "cut at byte %d", n)
		within := text[n] != '\n' && text[n-1] != '\n'
		require.Equal(t, within, strings.Contains(strings.Join(run.Warnings, "\n"), "is cut off"), "cut at byte %d", n)
	}
}

func TestRequestsCutAtEveryByte(t *testing.T) {
	member, err := encodeRequests(requests(3))
	require.NoError(t, err)
	for n := range member {
		found, err := decode(t, member[:n])
		require.ErrorIs(t, err, ErrCut, "cut at byte %d", n)
		require.LessOrEqual(t, len(found), 3)
		require.ElementsMatch(t, requests(len(found)), found)
	}
}

func TestFileOfRequestsCutAtEveryByte(t *testing.T) {
	dir, _ := saved(t)
	path := filepath.Join(dir, requestsFile)
	info, err := os.Stat(path)
	require.NoError(t, err)
	for n := info.Size() - 1; n > 0; n-- {
		require.NoError(t, os.Truncate(path, n))
		run, err := Open(dir)
		require.NoError(t, err)
		require.Len(t, run.Rows, 3)
		require.Contains(t, strings.Join(run.Warnings, "\n"), "requests.jsonl.gz is cut off: from row")
		for i, row := range run.Rows {
			reqs, err := whole(run, i)
			if row.Requests.Offset+row.Requests.Bytes <= n {
				require.NoError(t, err, "cut at byte %d", n)
				require.Len(t, reqs, i+1)
			} else {
				require.ErrorIs(t, err, ErrCut, "cut at byte %d", n)
			}
			require.ElementsMatch(t, requests(len(reqs)), reqs)
		}
		require.NoError(t, run.Close())
	}
}

func TestRunWithoutRequests(t *testing.T) {
	dir, _ := saved(t)
	require.NoError(t, os.Remove(filepath.Join(dir, requestsFile)))
	run := reopen(t, dir)
	assert.True(t, run.Complete)
	assert.Equal(t, []string{"there is no requests.jsonl.gz: rows are here, their requests are not"}, run.Warnings)
	_, err := whole(run, 2)
	require.EqualError(t, err, "row 3 of run baseline: 0 of 3 requests are whole: cut off")
}

func TestRequestsOfAnotherRow(t *testing.T) {
	dir, text := saved(t)
	path := filepath.Join(dir, requestsFile)
	member, err := os.ReadFile(path)
	require.NoError(t, err)
	member[len(member)/2] ^= 0xff
	require.NoError(t, os.WriteFile(path, member, 0o666))
	damaged := 0
	run := reopen(t, dir)
	for i := range run.Rows {
		if _, err := whole(run, i); err != nil {
			damaged++
		}
	}
	assert.Equal(t, 1, damaged, "a damaged member harms no other")

	more := bytes.Replace(text, []byte(`"count":1}`), []byte(`"count":2}`), 1)
	require.NotEqual(t, text, more)
	require.NoError(t, os.WriteFile(filepath.Join(dir, runFile), more, 0o666))
	_, err = whole(reopen(t, dir), 0)
	assert.ErrorIs(t, err, ErrCut)
}

func TestReaderToleratesAndRefuses(t *testing.T) {
	_, text := saved(t)
	lines := strings.SplitAfter(string(text), "\n")
	for _, c := range []struct {
		name, text string
		rows, gpu  int
		warning    string // a part of one, "" if there is none
		err        string // a part, "" if there is none
	}{
		{name: "as saved", text: string(text), rows: 3, gpu: 9},
		{name: "unknown field", text: strings.ReplaceAll(string(text), `{"start":`, `{"weather":{"rain":1},"start":`), rows: 3, gpu: 9},
		{name: "unknown line", text: lines[0] + `{"weather":{"rain":1}}` + "\n" + strings.Join(lines[1:], ""), rows: 3, gpu: 9},
		{name: "damaged line", text: lines[0] + lines[2] + lines[4][20:] + lines[6] + lines[7], rows: 2, warning: "line 3 of run.jsonl is damaged"},
		{name: "requests before the file", text: lines[0] + strings.Replace(lines[2], `"offset":0`, `"offset":-1`, 1) + lines[7], warning: "are no part of a file"},
		{name: "samples of the past", text: lines[0] + lines[3] + lines[1] + lines[7], gpu: 3, warning: "line 3 of run.jsonl is damaged and left out: its GPU samples are not in the order of time"},
		{name: "samples of another GPU", text: lines[0] + `{"gpu":[{"at_ns":1,"gpus":[{}]}]}` + "\n" + lines[7], warning: "not of the run's 2 GPUs"},
		{name: "no samples", text: lines[0] + lines[2] + lines[4] + lines[6] + lines[7], rows: 3},
		{name: "newer schema", text: strings.Replace(string(text), `"schema_version":1`, `"schema_version":2`, 1), err: "it has schema version 2 and this program reads up to 1: use a newer vllmbench"},
		{name: "newer schema of another shape", text: `{"header":{"schema_version":9,"run":{"id":4}}}`, err: "schema version 9"},
		{name: "other JSON", text: `{"model":"tiny"}` + "\n", err: "line 1 of run.jsonl is no header"},
		{name: "empty", text: "", err: "line 1 of run.jsonl is no header"},
		{name: "header of another shape", text: `{"header":{"schema_version":1,"simulated":"x"}}`, err: "line 1 of run.jsonl"},
	} {
		t.Run(c.name, func(t *testing.T) {
			run, err := read(strings.NewReader(c.text))
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			assert.Len(t, run.Rows, c.rows)
			assert.Len(t, run.GPU, c.gpu)
			if c.warning == "" {
				assert.Empty(t, run.Warnings)
			} else {
				assert.Contains(t, strings.Join(run.Warnings, "\n"), c.warning)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(dir)
	require.EqualError(t, err, dir+" holds no run: it has no run.jsonl")
	_, err = Open(filepath.Join(dir, "missing"))
	require.ErrorContains(t, err, "cannot read the run: ")
	require.ErrorContains(t, err, filepath.Join(dir, "missing"))
}
