package measure

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCapacityRow(t *testing.T) {
	inf := math.Inf(1)
	for _, tt := range []struct {
		name, text string
		c          Capacity
		want       map[string]float64
		leftOut    []string
	}{
		{
			"found", "7.52 req/s [7.31, 7.7], 22 probes: narrow enough",
			Capacity{Unit: "req/s", Low: 7.31, Estimate: 7.52, High: 7.7, Goodput: 7.1, Probes: 22, Why: "narrow enough"},
			map[string]float64{"capacity-req/s": 7.52, "capacity-low-req/s": 7.31, "capacity-high-req/s": 7.7, "capacity-goodput-req/s": 7.1, "probes": 22}, nil,
		},
		{
			"streams, without a probe within", "7 batch [7, 8], 14 probes: decided",
			Capacity{Unit: "batch", Low: 7, Estimate: 7, High: 8, Probes: 14, Why: "decided"},
			map[string]float64{"capacity-batch": 7, "capacity-low-batch": 7, "capacity-high-batch": 8, "probes": 14}, []string{"capacity-goodput-req/s"},
		},
		{
			"nowhere", "less than 0.5 req/s, 4 probes: not even there",
			Capacity{Unit: "req/s", High: 0.5, Probes: 4, Why: "not even there"},
			map[string]float64{"capacity-high-req/s": 0.5, "probes": 4}, []string{"capacity-req/s", "capacity-low-req/s", "capacity-goodput-req/s"},
		},
		{
			"everywhere", "64 batch or more, 9 probes: all hold",
			Capacity{Unit: "batch", Low: 64, Estimate: 64, High: inf, Goodput: 3, Probes: 9, Why: "all hold"},
			map[string]float64{"capacity-low-batch": 64, "capacity-goodput-req/s": 3, "probes": 9}, []string{"capacity-batch", "capacity-high-batch"},
		},
		{
			"unknown", "unknown, 1 probe: used up",
			Capacity{Unit: "req/s", Estimate: 5, High: inf, Probes: 1, Why: "used up"},
			map[string]float64{"probes": 1}, []string{"capacity-req/s", "capacity-low-req/s", "capacity-high-req/s", "capacity-goodput-req/s"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			row := tt.c.Row()
			got := map[string]float64{}
			for _, v := range row.Values {
				got[v.Metric] = v.Value
			}
			assert.Equal(t, tt.want, got)
			var leftOut []string
			for _, l := range row.LeftOut {
				assert.Equal(t, tt.c.Why, l.Reason)
				leftOut = append(leftOut, l.Metric)
			}
			assert.Equal(t, tt.leftOut, leftOut)
			assert.Equal(t, tt.text, tt.c.String())
		})
	}
}

// An answer has no other metric, and no other row has an answer's.
func TestCapacityMetricsAreOfAnswers(t *testing.T) {
	answer, open := Capacity{Unit: "req/s", SLO: "ttft:1s"}.Row(), Row{Cell: Cell{Experiment: "probe", Rate: 3}, SLO: "ttft:1s"}
	for _, m := range Metrics(nil) {
		assert.Equal(t, OfCapacity(m.Name), m.Of(&answer), m.Name)
		assert.False(t, OfCapacity(m.Name) && m.Of(&open), m.Name)
	}
}
