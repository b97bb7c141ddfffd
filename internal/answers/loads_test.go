package answers

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

const twoObjectives = "ttft:200ms,itl:30ms"

func atRateOf(rate float64) measure.Cell {
	return measure.Cell{Experiment: arrivals, Name: fmt.Sprintf("Arrivals/rate=%v", rate), Rate: rate, PromptTokens: 200, OutputTokens: 100}
}

// arrive adds a row of an open loop in which a share of 1000 requests met the SLO;
// below 0 the queue grew, and without a number the share was left out.
func (s *sample) arrive(repetition int, cell measure.Cell, ttft, share float64) *results.Row {
	if share < 0 {
		r := s.row(repetition, cell, map[string]float64{"served-%": 80})
		for _, metric := range []string{"p50-ttft-ns", "slo-%", "goodput-req/s"} {
			r.Measured.LeftOut = append(r.Measured.LeftOut, measure.LeftOut{Metric: metric, Rule: ruleGrowth, Reason: "the queue grew by 31 requests"})
		}
		r.Measured.SLO = twoObjectives
		return r
	}
	values := map[string]float64{"p50-ttft-ns": ttft, "p90-ttft-ns": 2 * ttft, "engine-queue-ns": ttft / 4}
	if !math.IsNaN(share) {
		values["slo-%"] = share
	}
	r := s.row(repetition, cell, values)
	for i := range r.Measured.Values {
		r.Measured.Values[i].N = 1000
	}
	r.Measured.SLO = twoObjectives
	return r
}

func TestRates(t *testing.T) {
	for _, c := range []struct {
		name   string
		shares []float64 // at 1, 2, 4 and 8 req/s
		says   string
	}{
		{"between two", []float64{100, 99, 97, 60}, "4 req/s or more, and less than 8: at the first 97.0 % of the requests meet ttft:200ms,itl:30ms, at the other only 60.0 % do. -bench=Capacity"},
		{"the queue grows", []float64{100, 99, 97, -1}, "at the other the queue grows, so that there is no steady state."},
		{"at all", []float64{100, 99, 97, 96}, "8 req/s or more: at this rate, the highest measured, 96.0 % of the requests meet"},
		{"at none", []float64{90, 80, 70, 10}, "Less than 1 req/s: there 90.0 % of the requests meet"},
		{"by chance or not", []float64{100, 99, 94.9, 60}, "2 req/s or more, and less than 8: at the first 99.0 % of the requests meet ttft:200ms,itl:30ms, at the other only 60.0 % do. Requests were too few to tell at 4."},
		{"unknown", []float64{94.9, 94.8, 94.9, 94.9}, "Unknown: at none of the rates up to 8 req/s it is clear whether 95 % of the requests meet"},
		{"left out above", []float64{100, 99, math.NaN(), math.NaN()}, "2 req/s or more: at this rate, of those measured, 99.0 % of the requests meet ttft:200ms,itl:30ms. The share was left out at 4, 8."},
		{"left out within", []float64{100, math.NaN(), 94.9, 60}, "1 req/s or more, and less than 8: at the first 100 % of the requests meet ttft:200ms,itl:30ms, at the other only 60.0 % do. Requests were too few to tell at 4. The share was left out at 2."},
		{"left out at all", []float64{math.NaN(), math.NaN(), math.NaN(), math.NaN()}, "Unknown: at none of the rates up to 8 req/s it is clear whether 95 % of the requests meet ttft:200ms,itl:30ms. The share was left out at 1, 2, 4, 8."},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSample(1)
			for i, share := range c.shares {
				s.arrive(1, atRateOf(float64(int(1)<<i)), 1e7, share)
			}
			a := answer(t, Of(s.run), "rate")
			assert.Equal(t, Answered, a.Status)
			assert.Contains(t, a.Text, c.says)
		})
	}
}

func TestRatesWithoutSLO(t *testing.T) {
	s := newSample(1)
	s.arrive(1, atRateOf(2), 1e7, 100).Measured.SLO = ""
	s.arrive(1, atRateOf(4), 1e7, -1).Measured.SLO = ""
	a := answer(t, Of(s.run), "rate")
	assert.Contains(t, a.Text, "2 req/s or more, and less than 4: at the first the queue does not grow, at the other the queue grows")
	assert.Contains(t, a.Text, "Within which latency is not known: name objectives by -slo")

	ramp := newSample(1)
	cell := atRateOf(3)
	cell.Name = "Arrivals/rate=2..4"
	ramp.arrive(1, cell, 1e7, 100)
	assert.Contains(t, answer(t, Of(ramp.run), "rate").Text, "Only loads whose rate changes were measured")
}

// search adds the answer of a search; 0 leaves a value out.
func (s *sample) search(repetition int, unit string, low, estimate, high float64) {
	name := "Capacity/rate"
	if unit == Batch {
		name = "Capacity/batch"
	}
	values := map[string]float64{"probes": 20}
	var left []measure.LeftOut
	for metric, v := range map[string]float64{"capacity-" + unit: estimate, "capacity-low-" + unit: low, "capacity-high-" + unit: high} {
		if v > 0 {
			values[metric] = v
		} else {
			left = append(left, measure.LeftOut{Metric: metric, Rule: "search", Reason: "20 probes do not decide"})
		}
	}
	r := s.row(repetition, measure.Cell{Experiment: capacity, Name: name}, values)
	r.Measured.LeftOut, r.Measured.SLO = left, twoObjectives
}

func TestCapacity(t *testing.T) {
	for _, c := range []struct {
		name                string
		low, estimate, high []float64
		says                string
		marked              bool
	}{
		{"one", []float64{7.5}, []float64{8}, []float64{8.5}, "8.00 req/s [7.50, 8.50], by a search: at that rate 95 % of the requests meet ttft:200ms,itl:30ms.", true},
		{"three, the span of all", []float64{7.5, 7, 7.8}, []float64{8, 7.9, 8.2}, []float64{8.5, 8.4, 8.6}, "8.00 req/s [7.00, 8.60], by a search", true},
		{"no end", []float64{7.5}, []float64{0}, []float64{0}, "7.50 req/s or more, by a search: ", false},
		{"no begin", []float64{0}, []float64{0}, []float64{8.5}, "Less than 8.50 req/s, by a search: ", false},
		{"nothing", []float64{0}, []float64{0}, []float64{0}, "The search bounds it on neither side (20 probes do not decide).", false},
		{"one of two knows no end", []float64{7.5, 7}, []float64{8, 0}, []float64{8.5, 0}, "7.00 req/s or more", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSample(1)
			for i := range c.low {
				s.search(i+1, "req/s", c.low[i], c.estimate[i], c.high[i])
			}
			got := Of(s.run)
			assert.Contains(t, answer(t, got, "rate").Text, c.says)
			assert.Equal(t, c.marked, got.Capacity != nil)
			assert.Nil(t, got.CapacityBatch)
			assert.Empty(t, warned(got, "fewer than"), "a search says itself what it knows")
		})
	}
	s := newSample(1)
	s.search(1, Batch, 10, 11, 12)
	got := Of(s.run)
	assert.Contains(t, answer(t, got, "rate").Text, "In a closed loop, requests in flight: 11.0 [10.0, 12.0], by a search: with so many in flight 95 %")
	require.NotNil(t, got.CapacityBatch)
	assert.Equal(t, 11.0, got.CapacityBatch.Value)
}

func TestQueueing(t *testing.T) {
	s := newSample(1)
	for r := 1; r <= 6; r++ {
		s.arrive(r, atRateOf(1), 2e7, 100)
		s.arrive(r, atRateOf(8), 6e7, 100)
		lucky := -1.0
		if r <= 3 {
			lucky = 50
		}
		s.arrive(r, atRateOf(9), 7e7, lucky)
	}
	got := Of(s.run)
	a := answer(t, got, "queueing")
	assert.Equal(t, "At 8 req/s, the highest steady rate, the median TTFT is 60.0 ms [60.0, 60.0], x3.00 [3.00, 3.00] the 20.0 ms [20.0, 20.0] at 1 req/s."+
		" Its p90 rises from 40.0 ms [40.0, 40.0] to 120 ms [120, 120]. A request stands 15.0 ms [15.0, 15.0] in the server's queue there on average, 5.00 ms [5.00, 5.00] at 1 req/s.", a.Text)
	assert.NotContains(t, a.Evidence[0], "9 req/s", "half of its repetitions grew, the others were lucky")
	assert.Len(t, warned(got, "The queue grew in 3 rows (Arrivals/rate=9)"), 1)
}

// TestQuestionsOfRows: the mission's are asked as ever, and others only where there are rows.
func TestQuestionsOfRows(t *testing.T) {
	mission := []string{"scaling", "prompt", "output", "idle", "bound", "limit"}
	ids := func(s *sample) (all []string) {
		for _, a := range Of(s.run).Answers {
			all = append(all, a.ID)
		}
		return all
	}
	s := newSample(1)
	assert.Equal(t, mission, ids(s), "of an empty run")
	s.row(1, atBatch(4), map[string]float64{"tok/s": 100})
	assert.Equal(t, mission, ids(s))
	s.arrive(1, atRateOf(1), 1e7, 100)
	assert.Equal(t, append(mission, "rate", "queueing"), ids(s))
	alone := newSample(1)
	alone.row(1, measure.Cell{Experiment: turns, Name: "Turns/turns=2/users=1", Batch: 1}, nil)
	assert.Equal(t, []string{"turns"}, ids(alone))
}
