package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/client"
	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// saveInstance saves what one of two instances sent: a request every 100 ms, in turns.
func saveInstance(t *testing.T, dir string, k int, started time.Time, end func(*results.Writer) error) {
	t.Helper()
	name := []string{"instance-1", "instance-2"}[k]
	w, err := results.Create(dir, results.Header{
		Stamps: "user", Nonce: dir + started.String(), Started: started, Epoch: begin,
		Instance: &results.Instance{Name: name, Segment: []string{"0:1/2", "1/2:1"}[k]},
	})
	require.NoError(t, err)
	var sent []client.Result
	for i := k; i < 20; i += 2 {
		at := time.Duration(i+1) * 100 * time.Millisecond
		sent = append(sent, client.Result{
			Intended: at, Scheduled: true, Sent: at + 1, End: at + 30*time.Millisecond, Events: []client.Event{{At: at + time.Duration(10+i)*time.Millisecond, Tokens: 1}},
			PromptTokens: 10, OutputTokens: 1, FinishReason: "length", Reused: true, Attempts: 1, Outcome: client.OK,
		})
	}
	require.NoError(t, w.Row(measure.Row{
		Cell:   measure.Cell{Experiment: "arrivals", Name: "Arrivals/rate=10", Rate: 5, PromptTokens: 10, OutputTokens: 1},
		Window: measure.Window{From: 500 * time.Millisecond, To: 1900 * time.Millisecond},
		Values: []measure.Value{{Metric: "p50-ttft-ns", Value: 1}},
	}, sent))
	require.NoError(t, end(w))
}

func well(w *results.Writer) error { return w.Close(true) }
func ill(w *results.Writer) error  { return w.Close(false) }

func TestMerge(t *testing.T) {
	root := t.TempDir()
	into, from := filepath.Join(root, "merged"), filepath.Join(root, "k6")
	for k, name := range []string{"instance-1", "instance-2"} {
		saveInstance(t, filepath.Join(from, name), k, begin, well)
	}
	merge := func(status int, args ...string) (string, string) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		require.Equal(t, status, mergeRecords(args, &stdout, &stderr), stderr.String())
		return stdout.String(), stderr.String()
	}
	stdout, stderr := merge(0, "-o", into, from)
	assert.Empty(t, stderr)
	assert.Contains(t, stdout, "merged from instance-1 (0:1/2), instance-2 (1/2:1)\n")
	assert.True(t, strings.HasSuffix(stdout, into+"\n"+into+".txt\n"), stdout)

	// Of those due from 0.5 to 1.9 s, with a TTFT of 10 + i ms for i = 4 to 17, the median is that of i = 10.
	text, err := results.Load(into + ".txt")
	require.NoError(t, err)
	v, ok := text.Rows[0].Measured.Value("p50-ttft-ns")
	assert.True(t, ok)
	assert.Equal(t, 20e6, v)

	// The folders by name, and an earlier merge among the records.
	merge(0, "-o", filepath.Join(from, "merged"), filepath.Join(from, "instance-2"), filepath.Join(from, "instance-1"))
	merge(0, "-o", into, from)

	// One was killed in a second run, beside the first one's record.
	saveInstance(t, filepath.Join(from, "instance-1"), 0, begin.Add(time.Hour), well)
	saveInstance(t, filepath.Join(from, "instance-2"), 1, begin.Add(time.Hour), ill)
	_, stderr = merge(notWhole, "-o", into, from)
	assert.Contains(t, stderr, "vllmbench merge: instance-2 (1/2:1) is not in it: its record has no good end: it was killed, or broken off\n")
	_, again := merge(notWhole, "-o", into, filepath.Join(from, "instance-2"), filepath.Join(from, "instance-1"))
	assert.Equal(t, stderr, again)
	run, err := results.Open(into)
	require.NoError(t, err)
	defer run.Close()
	assert.Equal(t, []string{"instance-2 (1/2:1) is not in it: its record has no good end: it was killed, or broken off"}, run.Warnings)
	_, throughput := run.Rows[0].Measured.Value("tok/s")
	assert.False(t, throughput)
}

// TestMergeNamesTheUnreadable: an instance may be killed before its header is on the disk.
func TestMergeNamesTheUnreadable(t *testing.T) {
	root := t.TempDir()
	saveInstance(t, filepath.Join(root, "k6", "instance-1"), 0, begin, well)
	broken := filepath.Join(root, "k6", "instance-2")
	require.NoError(t, os.Mkdir(broken, 0o777))
	require.NoError(t, os.WriteFile(filepath.Join(broken, "run.jsonl"), nil, 0o666))
	says := "cannot read the run in " + broken + ": line 1 of run.jsonl is no header: the file was cut off there, or is no run"
	var stdout, stderr bytes.Buffer
	require.Equal(t, notWhole, mergeRecords([]string{"-o", filepath.Join(root, "merged"), filepath.Join(root, "k6")}, &stdout, &stderr))
	assert.Equal(t, "vllmbench merge: "+says+"\nvllmbench merge: the segment 1/2:1 of the load is missing: there is no record of an instance that had it\n", stderr.String())

	stderr.Reset()
	require.Equal(t, 1, mergeRecords([]string{"-o", filepath.Join(root, "merged"), broken}, &stdout, &stderr))
	assert.Equal(t, "vllmbench merge: "+says+"\n", stderr.String())
}

func TestMergeRefuses(t *testing.T) {
	root := t.TempDir()
	saveInstance(t, filepath.Join(root, "k6", "instance-1"), 0, begin, well)
	saveInstance(t, filepath.Join(root, "k6", "instance-2"), 1, begin, well)
	from := filepath.Join(root, "k6")
	file := filepath.Join(root, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o666))
	require.NoError(t, os.Mkdir(filepath.Join(root, "empty"), 0o777))
	for _, c := range []struct {
		name string
		args []string
		says string
	}{
		{"nowhere", []string{from}, "say where to, as in -o results/merged"},
		{"nothing", []string{"-o", root + "/m"}, "no record is named: give the folder that the instances wrote into"},
		{"unknown flag", []string{"-x"}, "flag provided but not defined: -x"},
		{"less than none", []string{"-o", root + "/m", "-expect", "-1", from}, "-expect and -clock-error are 0 or more"},
		{"no such folder", []string{"-o", root + "/m", root + "/none"}, "cannot read the records: "},
		{"an empty folder", []string{"-o", root + "/m", root + "/empty"}, root + "/empty holds no record of an instance: name the folder that the instances wrote into"},
		{"twice the same", []string{"-o", root + "/m", from, from + "/instance-1"}, "instance-1 and instance-1 are one record (they have one nonce): name each once"},
		{"too many", []string{"-o", root + "/m", "-expect", "1", from}, "there are 2 records, and 1 are expected: name only those of one load"},
		{"over a file", []string{"-o", file, from}, "cannot record into " + file},
		{"over a record", []string{"-o", from + "/instance-1", from}, from + "/instance-1 is one of the records: write the merged run into another folder"},
		{"over the records", []string{"-o", from, from}, "cannot record into " + from + ": it holds instance-1, which is no file of a run: name an empty folder"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			require.Equal(t, 1, mergeRecords(c.args, &stdout, &stderr))
			assert.Empty(t, stdout.String())
			assert.True(t, strings.HasPrefix(stderr.String(), "vllmbench merge: "+c.says), stderr.String())
			assert.Equal(t, 1, strings.Count(stderr.String(), "\n"), "one line: %s", stderr.String())
		})
	}
}

func TestMergeHelp(t *testing.T) {
	var stdout, stderr bytes.Buffer
	require.Equal(t, 0, mergeRecords([]string{"-h"}, &stdout, &stderr))
	assert.Contains(t, stdout.String(), "usage: vllmbench merge -o DIR [flags] RECORD...")
	assert.Contains(t, stdout.String(), "-expect N")
	assert.Empty(t, stderr.String())
}
