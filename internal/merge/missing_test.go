package merge

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// without says which metrics a row lacks for a missing instance, and checks that it is why.
func without(t *testing.T, row *measure.Row, why string) (metrics []string) {
	t.Helper()
	for _, l := range row.LeftOut {
		if l.Rule == "instances" {
			assert.Contains(t, l.Reason, why)
			metrics = append(metrics, l.Metric)
		}
	}
	return metrics
}

var (
	sums      = []string{"tok/s", "total-tok/s", "req/s", "offered-req/s", "served-%", "growth-req/s", "goodput-req/s", "in-flight"}
	latencies = []string{"p50-ttft-ns", "p99-ttft-ns", "mean-itl-ns", "p50-e2e-ns", "p50-tpot-ns", "slo-%"}
	stay      = []string{"p50-lag-ns", "merged-%", "p50-late-ns", "prompt-tok/req"}
)

// missingRun checks what each way to miss a part of the load has in common.
func missingRun(t *testing.T, run *Run, lost string) *measure.Row {
	t.Helper()
	assert.Equal(t, []string{lost}, run.Header.Merged.Lost)
	assert.False(t, run.Whole())
	row := &run.Rows[0].Measured
	assert.Empty(t, row.Void)
	assert.Subset(t, without(t, row, lost), slices.Concat(sums, latencies))
	for _, metric := range stay {
		value(t, row, metric)
	}
	for _, a := range row.Ledger {
		assert.False(t, a.Known, a.Name)
	}
	_, has := row.Value("engine-ttft-ns")
	assert.False(t, has)
	assert.Empty(t, run.Header.Merged.Ledger)
	dir := filepath.Join(t.TempDir(), "merged")
	require.NoError(t, run.Save(dir))
	saved, err := results.Open(dir)
	require.NoError(t, err)
	defer saved.Close()
	assert.Equal(t, []string{lost}, saved.Warnings, "report and compare say it")
	return row
}

const killedSays = "instance-2 (1/4:1/2) is not in it: its record has no good end: it was killed, or broken off"

// TestKilled: neither of an instance that was killed in the midst, nor of one whose record alone was lost, is it
// known what its requests met; how much of the load the server had is said.
func TestKilled(t *testing.T) {
	for sent, said := range map[int]string{
		200: "the server counted 2000 requests; by the 1800 that are here, the whole load is about 2400",
		600: "the server counted 2400 requests; by the 1800 that are here, the whole load is about 2400",
	} {
		w := open(4)
		w.sent[1].killed = true
		w.sent[1].requests = w.sent[1].requests[:sent]
		run := w.merged(t, Config{})
		row := missingRun(t, run, killedSays)
		assert.Contains(t, run.Header.Merged.Notes, said)
		assert.Equal(t, "merged from instance-1 (0:1/4), instance-3 (1/2:3/4), instance-4 (3/4:1)", run.Header.Merged.Notes[0])
		assert.Equal(t, rate, row.Rate, "that of the whole load")
	}
}

// TestKilledInAClosedLoop: how much of the load the server should have had, no plan says.
func TestKilledInAClosedLoop(t *testing.T) {
	w := closed(2)
	w.sent[0].killed = true
	run := w.merged(t, Config{})
	row := run.Rows[0].Measured
	for _, note := range run.Header.Merged.Notes {
		assert.NotContains(t, note, "the server counted")
	}
	assert.Subset(t, without(t, &row, "instance-1 (0:1/2) is not in it"), []string{"tok/s", "p50-ttft-ns", "p50-itl-ns", "in-flight"})
}

// TestSegmentMissing: the segments do not add up, whoever had the rest.
func TestSegmentMissing(t *testing.T) {
	w := open(4)
	w.sent = append(w.sent[:1], w.sent[2:]...)
	const lost = "the segment 1/4:1/2 of the load is missing: there is no record of an instance that had it"
	row := missingRun(t, w.merged(t, Config{}), lost)
	assert.Contains(t, row.LeftOut, measure.LeftOut{Metric: "p50-ttft-ns", Rule: "instances", Reason: "not all of the load is here: " + lost})
}

// TestExpect: processes without segments are counted.
func TestExpect(t *testing.T) {
	w := open(3)
	for _, s := range w.sent {
		s.segment, s.header.Instance.Segment = "", ""
	}
	assert.True(t, w.merged(t, Config{Expect: 3}).Whole())
	run := w.merged(t, Config{Expect: 4})
	missingRun(t, run, "1 of 4 instances are missing: there are records of instance-1, instance-2, instance-3 alone")
	_, err := Records(w.record(t), Config{Expect: 2})
	assert.EqualError(t, err, "there are 3 records, and 2 are expected: name only those of one load")
}

// TestUnreadable: what cannot be read is missing, though the segments that can be read add up.
func TestUnreadable(t *testing.T) {
	run := open(2).merged(t, Config{Unreadable: []string{"instance-9 cannot be read"}})
	missingRun(t, run, "instance-9 cannot be read")
}

// TestCutFile: an instance with fewer requests than it sent is out.
func TestCutFile(t *testing.T) {
	w := open(2)
	dir := t.TempDir()
	var runs []*results.Run
	for k, s := range w.sent {
		path := filepath.Join(dir, s.header.Instance.Name)
		w.save(t, path, k)
		if k == 1 {
			file := filepath.Join(path, "requests.jsonl.gz")
			info, err := os.Stat(file)
			require.NoError(t, err)
			require.NoError(t, os.Truncate(file, info.Size()/2))
		}
		run, err := results.Open(path)
		require.NoError(t, err)
		defer run.Close()
		runs = append(runs, run)
	}
	run, err := Records(runs, Config{})
	require.NoError(t, err)
	require.Len(t, run.Header.Merged.Lost, 1)
	assert.Regexp(t, `^instance-2 \(1/2:1\) is not in it: row 1 of run instance-2: \d+ of 1200 requests are whole: cut off$`, run.Header.Merged.Lost[0])
	assert.Len(t, run.Rows[0].Requests, arrivals/2)
	_, has := run.Rows[0].Measured.Value("tok/s")
	assert.False(t, has)
}

func TestAllKilled(t *testing.T) {
	w := open(2)
	w.sent[0].killed, w.sent[1].killed = true, true
	_, err := Records(w.record(t), Config{})
	assert.ErrorContains(t, err, "no instance has a whole record: instance-1 (0:1/2) is not in it: ")
}
