package merge

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/client"
	"vllmbench/internal/engine"
	"vllmbench/internal/measure"
)

// TestLedger: the sum balances once against the server, with what found the server taken out.
func TestLedger(t *testing.T) {
	run := open(4).merged(t, Config{})
	row := run.Rows[0].Measured
	got := map[string][2]float64{}
	for _, a := range row.Ledger {
		assert.True(t, a.Known && a.Balances(), "%+v", a)
		got[a.Name] = [2]float64{a.Ours, a.Server}
	}
	assert.Equal(t, [2]float64{arrivals, arrivals}, got["requests (length)"])
	assert.Equal(t, [2]float64{arrivals * prompt, arrivals * prompt}, got["prompt tokens"])
	assert.Equal(t, [2]float64{arrivals * output, arrivals * output}, got["generated tokens"])
	assert.Contains(t, got, "in flight, before")
	assert.Contains(t, got, "in flight, after")
	assert.Equal(t, row.Ledger, run.Header.Merged.Ledger)
	_, told := row.Value("engine-ttft-ns")
	assert.True(t, told)
}

func TestLedgerThatDoesNotBalance(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*world)
		void   []string
	}{
		{"others", func(w *world) { w.foreign = 7 }, []string{"ledger: 7 requests, 140 prompt tokens and 35 generated tokens are not ours: somebody else uses the server"}},
		{"restart", func(w *world) { w.restart = true }, []string{"ledger: the counters cannot be trusted, since the server was started anew"}},
		{"no marks of a restart", func(w *world) {
			w.hidden = func(s *engine.Snapshot) {
				s.Started, s.Created = 0, 0
				if s.At.After(epoch.Add(time.Second)) {
					s.GenerationTokens = known(3)
				}
			}
		}, []string{"ledger: the counters cannot be trusted, since the server's counter of generation tokens went backwards"}},
		{"no counters", func(w *world) {
			w.hidden = func(s *engine.Snapshot) { *s = engine.Snapshot{At: s.At} }
		}, nil},
		{"no counters, required", func(w *world) {
			w.hidden = func(s *engine.Snapshot) { *s = engine.Snapshot{At: s.At} }
			for _, s := range w.sent {
				s.header.Flags["require-ledger"] = "true"
			}
		}, []string{"ledger: it is required (-require-ledger), but the server does not offer its counters (GET /metrics)"}},
		{"a reason of an end that is not asked for", func(w *world) {
			w.hidden = func(s *engine.Snapshot) { s.Finished["stop"], s.Finished["length"] = 1, s.Finished["length"]-1 }
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, cells := range []int{1, 2} {
				w := open(2)
				c.change(w)
				if cells == 2 {
					w.twoCells()
				}
				run := w.merged(t, Config{})
				require.Len(t, run.Rows, cells)
				for _, row := range run.Rows {
					assert.Equal(t, c.void, row.Measured.Void)
				}
			}
		})
	}
}

// twoCells gives each instance a second cell behind the first.
func (w *world) twoCells() {
	for k, s := range w.sent {
		s.extra = &sent{cell: s.cell, window: measure.Window{From: 33 * time.Second, To: 52 * time.Second}}
		s.extra.cell.Name = "Arrivals/cell=second"
		for i, r := range s.requests {
			s.extra.requests = append(s.extra.requests, request(r.Intended+30*time.Second, true, uint64(9000+2*i+k)))
		}
	}
}

// TestOneProbeEndedByTheModel: what finds the server may be counted as a stop.
func TestOneProbeEndedByTheModel(t *testing.T) {
	w := open(2)
	asked := 0.0
	w.hidden = func(s *engine.Snapshot) {
		if s.At.After(epoch.Add(time.Second)) {
			asked = 1
		}
		s.Finished["stop"], s.Finished["length"] = asked, s.Finished["length"]-asked
	}
	assert.Empty(t, w.merged(t, Config{}).Rows[0].Measured.Void)
}

// TestSeveralCells: the ledger is of all rows together, and the server's own times of none.
func TestSeveralCells(t *testing.T) {
	w := open(2)
	w.twoCells()
	for _, s := range w.sent {
		s.header.Flags["require-ledger"] = "true"
	}
	run := w.merged(t, Config{})
	for _, row := range run.Rows {
		assert.Empty(t, row.Measured.Void)
		for _, a := range row.Measured.Ledger {
			assert.False(t, a.Known, a.Name)
		}
		assert.Contains(t, row.Measured.LeftOut, measure.LeftOut{Metric: "egress-ttft-ns", Rule: "instances", Reason: "the server's counters are of all the run's cells together: have one cell in a run"})
	}
	var requests measure.Account
	for _, a := range run.Header.Merged.Ledger {
		assert.True(t, a.Known && a.Balances(), "%+v", a)
		if a.Name == "requests (length)" {
			requests = a
		}
	}
	assert.Equal(t, measure.Account{Name: "requests (length)", Ours: 2 * arrivals, Server: 2 * arrivals, Known: true}, requests)
}

// TestReadingsInTheServersOrder: a clock that is behind does not turn the counters back.
func TestReadingsInTheServersOrder(t *testing.T) {
	runs := open(3).record(t)
	for _, i := range []int{0, 2} {
		one := runs[i].Header.Instance
		one.Before.At = one.Before.At.Add(time.Duration(2-i) * time.Second) // the first seems to be last
		one.After.At = one.After.At.Add(-time.Duration(i) * time.Second)
	}
	run, err := Records(runs, Config{})
	require.NoError(t, err)
	assert.Empty(t, run.Rows[0].Measured.Void)
}

// TestInstancesReasons: what one instance found against its own row is in the merged one, by name.
func TestInstancesReasons(t *testing.T) {
	w := open(2)
	w.sent[1].change = func(row *measure.Row) {
		row.Void = []string{"the disk was full"}
		row.LeftOut = append(row.LeftOut, measure.LeftOut{Metric: "tok/s", Rule: "cpu", Reason: "the client used 90 % of its 2 processors, over 70 %"}, measure.LeftOut{Metric: "p50-ttft-ns", Rule: "samples", Reason: "too few"})
	}
	w.sent[0].requests[500].Outcome = client.TimeoutStall
	row := w.merged(t, Config{}).Rows[0].Measured
	require.Len(t, row.Void, 3)
	assert.Contains(t, row.Void[0], "1 failed (timeout_stall)")
	assert.Contains(t, row.Void[1], "instance-1: 1 failed (timeout_stall)")
	assert.Equal(t, "instance-2: the disk was full", row.Void[2])
	assert.Contains(t, row.LeftOut, measure.LeftOut{Metric: "tok/s", Rule: "cpu", Reason: "instance-2: the client used 90 % of its 2 processors, over 70 %"})
	_, has := row.Value("tok/s")
	assert.False(t, has)
	value(t, &row, "p50-ttft-ns") // there are enough samples in the sum
}

// TestRulesApplyToTheSum: those that no instance meets alone.
func TestRulesApplyToTheSum(t *testing.T) {
	w := open(2)
	for _, s := range w.sent { // each has 60 % of 8 processors, which are the same 8
		s.cpu = time.Duration(0.6 * 8 * float64(window.Length()))
	}
	row := w.merged(t, Config{}).Rows[0].Measured
	assert.Contains(t, row.LeftOut, measure.LeftOut{Metric: "tok/s", Rule: "cpu", Reason: "the client used 120 % of its 8 processors, over 70 %"})

	w.sent[1].header.Environment.Boot = "b8" // of another host
	row = w.merged(t, Config{}).Rows[0].Measured
	value(t, &row, "tok/s")

	w = open(2)
	w.sent[1].header.Stamps = "user"
	w.sent[1].change = func(row *measure.Row) {
		row.LeftOut = append(row.LeftOut, measure.LeftOut{Metric: "p50-itl-ns", Rule: "lag", Reason: "it was late"})
	}
	run := w.merged(t, Config{})
	assert.Equal(t, "user", run.Header.Stamps)
	_, lag := run.Rows[0].Measured.Value("p99-lag-ns")
	assert.False(t, lag, "kernel stamps only if all have them")
	assert.Contains(t, run.Rows[0].Measured.LeftOut, measure.LeftOut{Metric: "p50-itl-ns", Rule: "lag", Reason: "instance-2: it was late"})
}
