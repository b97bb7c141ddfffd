package results

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRunReadsBackAsItWasWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "baseline")
	w, err := Create(dir, header("n1"))
	require.NoError(t, err)
	void := row("seqlen", "SeqLen/prompt=10/output=50", 2)
	void.Void = []string{"2 requests failed"}
	require.NoError(t, w.GPU(nil), "no samples are no line")
	require.NoError(t, w.GPU(samples(0, 4)))
	require.NoError(t, w.Row(row("throughput", "Throughput/batch=4", 0), requests(5)))
	require.NoError(t, w.Row(row("throughput", "Throughput/batch=4", 1), requests(7)))
	require.NoError(t, w.Row(void, nil))
	require.NoError(t, w.GPU(samples(2, 1)))
	require.NoError(t, w.Close(true))
	require.NoError(t, w.Close(true), "a second Close does nothing")

	run := reopen(t, dir)
	assert.Equal(t, "baseline", run.Name)
	assert.Equal(t, header("n1"), run.Header)
	assert.True(t, run.Complete)
	assert.Empty(t, run.Warnings)
	require.Len(t, run.Rows, 3)
	assert.Equal(t, row("throughput", "Throughput/batch=4", 1), run.Rows[1].Measured)
	assert.Equal(t, void, run.Rows[2].Measured)
	assert.Equal(t, []int{1, 2, 1}, []int{run.Rows[0].Repetition, run.Rows[1].Repetition, run.Rows[2].Repetition})
	assert.Equal(t, epoch.Add(time.Minute), run.Rows[1].Start)
	assert.Equal(t, append(samples(0, 4), samples(2, 1)...), run.GPU)
	for i, want := range []int{5, 7, 0} {
		reqs, err := whole(run, i)
		require.NoError(t, err)
		assert.Len(t, reqs, want)
		if want > 0 {
			assert.Equal(t, requests(want), reqs)
		}
	}
	for res, err := range run.Requests(0) {
		assert.Equal(t, requests(1)[0], res)
		assert.NoError(t, err)
		break
	}
	assert.Equal(t, []string{"baseline"}, names(t, filepath.Dir(dir)), "nothing is left beside the run")
}

func TestCreateFillsTheHeader(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "week3")
	before := time.Now()
	w, err := Create(dir, Header{})
	require.NoError(t, err)
	require.NoError(t, w.Close(true))
	h := reopen(t, dir).Header
	assert.Equal(t, SchemaVersion, h.SchemaVersion)
	assert.Equal(t, "week3", h.Run)
	assert.WithinDuration(t, before, h.Started, time.Minute)
	assert.Equal(t, h.Started, h.Epoch)
	assert.NotEmpty(t, h.Environment.OS)
	assert.NotEmpty(t, h.Environment.Kernel)
	assert.NotEmpty(t, h.Environment.Go)
	assert.Positive(t, h.Environment.Cores)
}

func TestCreateRefuses(t *testing.T) {
	root := t.TempDir()
	file := filepath.Join(root, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o666))
	notes := filepath.Join(root, "notes")
	record(t, notes, "n", 1)
	require.NoError(t, os.WriteFile(filepath.Join(notes, "notes.md"), nil, 0o666))
	sealed := filepath.Join(root, "sealed")
	require.NoError(t, os.Mkdir(sealed, 0o555))

	for _, c := range []struct{ name, dir, says string }{
		{"a file", file, "name a folder that can be written"},
		{"a file as parent", filepath.Join(file, "run"), "name a folder that can be written"},
		{"other files", notes, "it holds notes.md, which is no file of a run: name an empty folder"},
		{"a folder of runs", root, "which is no file of a run: name an empty folder"},
		{"read-only", filepath.Join(sealed, "run"), "permission denied: name a folder that can be written"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "read-only" && os.Geteuid() <= 0 {
				t.Skip("root and Windows write into read-only folders")
			}
			_, err := Create(c.dir, header("x"))
			require.ErrorContains(t, err, "cannot record into "+c.dir)
			assert.ErrorContains(t, err, c.says)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
	assert.Equal(t, []string{"file", "notes", "sealed"}, names(t, root), "a refused run leaves nothing")
}

func TestFailedRunLeavesTheOlderOne(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(t *testing.T, w *Writer)
	}{
		{"called failed", func(t *testing.T, w *Writer) { require.NoError(t, w.Close(false)) }},
		{"run.jsonl failed", func(t *testing.T, w *Writer) { failed(t, w, &w.run) }},
		{"requests.jsonl.gz failed", func(t *testing.T, w *Writer) { failed(t, w, &w.requests) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "baseline")
			record(t, dir, "old", 2)
			w, err := Create(dir, header("new"))
			require.NoError(t, err)
			require.NoError(t, w.Row(row("latency", "Latency", 0), requests(3)))
			c.end(t, w)

			old := reopen(t, dir)
			assert.Equal(t, "old", old.Header.Nonce)
			assert.True(t, old.Complete)
			assert.True(t, strings.HasPrefix(w.Dir(), dir+".new-"), w.Dir())
			left := reopen(t, w.Dir())
			assert.Len(t, left.Rows, 1)
			assert.False(t, left.Complete)
			assert.Contains(t, left.Warnings, "the run did not end well: 1 rows are saved")

			require.NoError(t, left.Close())
			record(t, dir, "next", 1)
			assert.Equal(t, "next", reopen(t, dir).Header.Nonce)
			assert.Equal(t, []string{"baseline"}, names(t, filepath.Dir(dir)), "the next run clears up")
		})
	}
}

// failed breaks one of the writer's files and mends it: the run must take no
// more rows and no place, since half a row may lie in the file.
func failed(t *testing.T, w *Writer, file **os.File) {
	require.NoError(t, (*file).Close())
	err := w.Row(row("latency", "Latency", 1), requests(1))
	require.ErrorContains(t, err, "row Latency: write ")
	mended, openErr := os.OpenFile((*file).Name(), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, openErr)
	*file = mended
	assert.Equal(t, err, w.Row(row("latency", "Latency", 1), nil))
	assert.Equal(t, err, w.GPU(samples(1, 1)))
	require.ErrorIs(t, w.Close(true), err)
}

func TestRowThatIsNoNumberIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "baseline")
	w, err := Create(dir, header("n"))
	require.NoError(t, err)
	bad := row("latency", "Latency", 0)
	bad.Values[1].Value = math.NaN()
	require.EqualError(t, w.Row(bad, nil), "saving row Latency: p50-ttft-ns is NaN, which is no measurement")
	bad = row("latency", "Latency", 0)
	bad.Ledger[0].Server = math.Inf(1)
	require.ErrorContains(t, w.Row(bad, requests(1)), "saving row Latency")
	nan := samples(0, 1)
	*nan[0].GPUs[1].Power = math.NaN()
	require.ErrorContains(t, w.GPU(nan), "saving GPU samples: ")
	require.NoError(t, w.Row(row("latency", "Latency", 0), requests(2)), "the run goes on")
	require.NoError(t, w.Close(true))

	run := reopen(t, dir)
	require.Len(t, run.Rows, 1)
	assert.Equal(t, 1, run.Rows[0].Repetition)
	reqs, err := whole(run, 0)
	require.NoError(t, err)
	assert.Equal(t, requests(2), reqs)
}
