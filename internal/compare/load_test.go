package compare

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// A point is one metric of each repetition of a benchmark; a negative value is
// a repetition in which the queue grew.
type point struct {
	cell   measure.Cell
	metric string
	values []float64
}

var (
	atFour = measure.Cell{Experiment: "arrivals", Name: "Arrivals/rate=4", Rate: 4}
	atNine = measure.Cell{Experiment: "arrivals", Name: "Arrivals/rate=9", Rate: 9}
	batch  = measure.Cell{Experiment: "throughput", Name: "Throughput/batch=4", Batch: 4}
	answer = measure.Cell{Experiment: searches, Name: "Capacity/rate"}
)

// loaded is a run of such points.
func loaded(name, slo string, points ...point) *results.Run {
	run := &results.Run{Name: name, Complete: true}
	run.Header.Flags = map[string]string{"slo-share": "95"}
	for _, p := range points {
		for i, v := range p.values {
			m := measure.Row{Cell: p.cell, Ops: 1, SLO: slo, Values: []measure.Value{{Metric: "req/s", Value: 4 + float64(i)/1e3}, {Metric: p.metric, Value: v}}}
			if p.cell == answer {
				m.Values = m.Values[1:]
			}
			if v < 0 {
				m.Values = m.Values[:1]
				m.LeftOut = []measure.LeftOut{{Metric: p.metric, Rule: growth, Reason: "the queue grew by 11 requests"}}
			}
			run.Rows = append(run.Rows, results.Row{Repetition: i + 1, Measured: m})
		}
	}
	return run
}

// around are six values near v.
func around(v float64) []float64 {
	return []float64{v, v * 1.001, v * 0.999, v * 1.002, v * 0.998, v}
}

func TestGoodputGates(t *testing.T) {
	for _, c := range []struct {
		name, old, new string
		values         []float64
		verdict, says  string
	}{
		{"as good", "ttft:1s", "ttft:1s", around(8), Pass, ""},
		{"worse", "ttft:1s", "ttft:1s", around(7), Fail, ""},
		{"by another SLO", "ttft:1s", "ttft:2s", around(9), "", "goodput-req/s is in neither run (left out of Arrivals/rate=9: the SLOs differ (ttft:1s and ttft:2s))"},
		{"the luckier half", "ttft:1s", "ttft:1s", []float64{8, -1, -1, -1, 8, 8.1}, Inconclusive, "the queue grew in 3 of 6 repetitions, and the others are the luckier ones"},
		{"one of twelve by chance", "ttft:1s", "ttft:1s", append(append(around(8), around(8)[1:]...), -1), Pass, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			old := loaded("old", c.old, point{atNine, "goodput-req/s", around(8)})
			r, err := Compare(old, loaded("new", c.new, point{atNine, "goodput-req/s", c.values}), Config{Gates: gates(t, "goodput-req/s:5%")})
			if c.verdict == "" {
				require.ErrorContains(t, err, c.says)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.verdict, r.Verdict)
			var text strings.Builder
			require.NoError(t, r.Write(&text, Text))
			assert.Contains(t, text.String(), c.says)
		})
	}
}

// TestGatesAskForWhatABenchmarkHas: an answer of a search has no throughput, and a
// closed loop no arrivals, for which a gate on these waits not.
func TestGatesAskForWhatABenchmarkHas(t *testing.T) {
	points := []point{
		{atFour, "served-%", around(100)}, {batch, "tok/s", around(400)}, {answer, "capacity-req/s", around(8)},
		{measure.Cell{Experiment: probes, Name: "Capacity/rate=7.5", Rate: 7.5}, "goodput-req/s", []float64{7}},
	}
	for gate, lines := range map[string][]string{
		"req/s:3%": {"Arrivals/rate=4", "Throughput/batch=4", "geomean of 2"}, "served-%:1%": {"Arrivals/rate=4"}, "capacity-req/s:5%": {"Capacity/rate"},
	} {
		r, err := Compare(loaded("old", "ttft:1s", points...), loaded("new", "ttft:1s", points...), Config{Gates: gates(t, gate)})
		require.NoError(t, err)
		assert.Equal(t, Pass, r.Verdict, gate)
		var have []string
		for _, l := range r.Metrics[0].lines() {
			have = append(have, l.Benchmark)
		}
		assert.Equal(t, lines, have, gate)
		assert.Equal(t, 18, r.Old.Rows, "probes are of neither side")
		assert.Empty(t, r.OnlyInOld)
	}
}
