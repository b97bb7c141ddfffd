package merge

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/client"
	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// TestQuantilesOfAll: merged quantiles are those of all requests, to the
// nanosecond, and the whole row is that of one process that sent all of them.
func TestQuantilesOfAll(t *testing.T) {
	alone := open(1).merged(t, Config{}).Rows[0].Measured
	for _, n := range []int{1, 2, 4} {
		w := open(n)
		run := w.merged(t, Config{})
		require.Len(t, run.Rows, 1)
		row := run.Rows[0].Measured
		assert.Empty(t, row.Void)
		assert.True(t, run.Whole())
		assert.Equal(t, "Arrivals/rate=100", row.Name)
		assert.Equal(t, rate, row.Rate)

		var ttft, itl, e2e []time.Duration
		for _, r := range w.all() {
			for i, e := range r.Events {
				if i > 0 && window.From < e.At && e.At <= window.To {
					itl = append(itl, e.At-r.Events[i-1].At)
				}
			}
			if window.From <= r.Intended && r.Intended < window.To {
				ttft, e2e = append(ttft, r.Events[0].At-r.Intended), append(e2e, r.Events[output-1].At-r.Intended)
			}
		}
		require.Len(t, ttft, 1900)
		for _, q := range []struct {
			metric string
			want   float64
		}{
			{"p50-ttft-ns", quantile(50, ttft)}, {"p90-ttft-ns", quantile(90, ttft)}, {"p99-ttft-ns", quantile(99, ttft)},
			{"p50-itl-ns", quantile(50, itl)}, {"p99-itl-ns", quantile(99, itl)}, {"p99-e2e-ns", quantile(99, e2e)},
			{"offered-req/s", 100},
		} {
			assert.Equal(t, q.want, value(t, &row, q.metric), "%d instances, %s", n, q.metric)
		}
		for _, v := range alone.Values {
			switch v.Metric {
			case "cpu-ns/tok", "engine-ttft-ns", "egress-ttft-ns": // more processes take more, and ask more
			case "growth-req/s": // a sum in another order
				assert.InEpsilon(t, v.Value, value(t, &row, v.Metric), 1e-9)
			default:
				assert.Equal(t, v.Value, value(t, &row, v.Metric), "%d instances, %s", n, v.Metric)
			}
		}
		assert.Len(t, run.Rows[0].Requests, arrivals)
	}
}

// TestClosedLoop: streams are known again, and requests in flight add up.
func TestClosedLoop(t *testing.T) {
	w := closed(3)
	run := w.merged(t, Config{})
	row := run.Rows[0].Measured
	assert.Empty(t, row.Void)
	assert.Equal(t, "Throughput/batch=6", row.Name)
	assert.Equal(t, 6, row.Batch)
	assert.InDelta(t, 6, value(t, &row, "in-flight"), 0.1)
	// Between two requests of a stream are 100 µs and what the sending takes, of some 90 ms. A stream that ran
	// into the next one would have its 23 s for a pause.
	assert.InDelta(t, 0.2, value(t, &row, "turnaround-%"), 0.1)
	for _, s := range w.sent { // as of processes that know of no other
		s.cell.Name, s.segment, s.header.Instance.Segment = "Throughput/batch=2", "", ""
	}
	assert.Equal(t, "Throughput/batch=6", w.merged(t, Config{}).Rows[0].Measured.Name)
}

// TestClocks: instances whose clocks begin at other times are put on one.
func TestClocks(t *testing.T) {
	want := open(3).merged(t, Config{}).Rows[0]
	w := open(3)
	w.sent[1].epoch, w.sent[2].epoch = 700*time.Millisecond, 123456789
	run := w.merged(t, Config{})
	assert.Equal(t, want.Measured, run.Rows[0].Measured)
	assert.Equal(t, want.Requests, run.Rows[0].Requests)
	assert.True(t, run.Header.Epoch.Equal(epoch))
	assert.Equal(t, []time.Duration{0, 700 * time.Millisecond, 123456789},
		[]time.Duration{run.Header.Merged.Instances[0].Shift, run.Header.Merged.Instances[1].Shift, run.Header.Merged.Instances[2].Shift})
}

func TestLaterKeepsWhatWasNotReached(t *testing.T) {
	r := client.Result{Intended: 5, End: 7, Outcome: client.Connect}
	assert.Equal(t, client.Result{Intended: 15, End: 17, Outcome: client.Connect}, later(r, 10))
}

// TestClockError: that of one host is 0, that of several is what is said.
func TestClockError(t *testing.T) {
	ms, zero := 5*time.Millisecond, time.Duration(0)
	for _, c := range []struct {
		name, boot string
		said       time.Duration
		hosts      int
		want       *time.Duration
		note       string
	}{
		{"one host", "b7", ms, 1, &zero, "clock: all instances ran on one host, whose clock is one"},
		{"two hosts", "b8", ms, 2, &ms, "clock: windows are aligned to 5ms, by which the hosts' clocks may differ (-clock-error); latencies are each of one clock"},
		{"nothing said", "b8", 0, 2, nil, "clock: by how much the hosts' clocks differ is not known (-clock-error says it), so windows are aligned as they tell the time; latencies are each of one clock"},
		{"not known", "", 0, 0, nil, "clock: by how much the hosts' clocks differ is not known (-clock-error says it), so windows are aligned as they tell the time; latencies are each of one clock"},
	} {
		t.Run(c.name, func(t *testing.T) {
			runs := open(2).record(t)
			runs[1].Header.Environment.Boot = c.boot
			run, err := Records(runs, Config{ClockError: c.said})
			require.NoError(t, err)
			assert.Equal(t, c.hosts, run.Header.Merged.Hosts)
			assert.Equal(t, c.want, run.Header.Merged.ClockError)
			assert.Contains(t, run.Header.Merged.Notes, c.note)
		})
	}
}

// TestWindows: what is measured is when all were at work, and what is lost is said.
func TestWindows(t *testing.T) {
	w := open(2)
	w.sent[0].window = measure.Window{From: 3 * time.Second, To: 23 * time.Second}
	w.sent[1].window = measure.Window{From: 5 * time.Second, To: 24 * time.Second}
	run := w.merged(t, Config{})
	row := run.Rows[0].Measured
	assert.Equal(t, measure.Window{From: 5 * time.Second, To: 23 * time.Second}, row.Window)
	assert.Empty(t, row.Void)
	assert.Equal(t, 1800, row.Ops)
	assert.Contains(t, run.Header.Merged.Notes, "Arrivals/rate=100: 2400 requests of 2 instances; the window in which all were at work is 18 s, 90 % of the longest of one")

	w.sent[1].window = measure.Window{From: 14 * time.Second, To: 24 * time.Second}
	assert.Equal(t, []string{"all instances were at work for 9 s alone, 45 % of the longest window of one, under 50 %: start them at the same time"}, w.merged(t, Config{}).Rows[0].Measured.Void)

	w.sent[1].window = measure.Window{From: 23 * time.Second, To: 24 * time.Second}
	run = w.merged(t, Config{})
	assert.Contains(t, run.Rows[0].Measured.Void, "the instances' windows do not overlap: they did not load the server at the same time")
	assert.False(t, run.Whole())
}

// TestSave: the merged run is one like any other.
func TestSave(t *testing.T) {
	merged := open(2).merged(t, Config{})
	dir := filepath.Join(t.TempDir(), "merged")
	require.NoError(t, merged.Save(dir))
	run, err := results.Open(dir)
	require.NoError(t, err)
	defer run.Close()
	assert.True(t, run.Complete)
	assert.Empty(t, run.Warnings)
	assert.Equal(t, merged.Rows[0].Measured, run.Rows[0].Measured)
	var saved []client.Result
	for r, err := range run.Requests(0) {
		require.NoError(t, err)
		saved = append(saved, r)
	}
	assert.Equal(t, merged.Rows[0].Requests, saved)
	assert.Equal(t, "merged", run.Header.Run)
	assert.Equal(t, "nonce 0+nonce 1", run.Header.Nonce)
	assert.Equal(t, results.Environment{OS: "linux", Arch: "amd64", CPU: "A CPU", Cores: 8, Kernel: "Linux 6.1", Go: "go1.26", Commit: "abc", Procs: 8, Boot: "b7"}, run.Header.Environment)
	assert.Nil(t, run.Header.Instance)
	require.Len(t, run.Header.Merged.Instances, 2)
	assert.Equal(t, "instance-2", run.Header.Merged.Instances[1].Instance)
	assert.Equal(t, "1/2:1", run.Header.Merged.Instances[1].Segment)
	lag, ok := run.Header.Merged.Instances[1].Rows[0].Value("p99-lag-ns")
	assert.True(t, ok && lag > 0, "each instance's own lag is kept")

	_, err = Records([]*results.Run{run}, Config{})
	assert.EqualError(t, err, "merged is no record of an instance: name the folders that the instances wrote")
}
