package answers

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"vllmbench/internal/measure"
)

// warned are the warnings that say so.
func warned(s Summary, says string) (found []Warning) {
	for _, w := range s.Warnings {
		if strings.Contains(w.What, says) {
			found = append(found, w)
		}
	}
	return found
}

func prefixCell(name string) measure.Cell {
	return measure.Cell{Experiment: prefix, Name: name, Batch: 4, PromptTokens: 1000, OutputTokens: 100}
}

func TestSharing(t *testing.T) {
	s := newSample(1)
	for r := 1; r <= 6; r++ {
		for name, ttft := range map[string]float64{"Prefix/shared=0": 2e8, "Prefix/shared=50": 1e8, "Prefix/shared=90": 4e7, "Prefix/shared=90/salt=request": 1.9e8} {
			s.row(r, prefixCell(name), map[string]float64{"p50-ttft-ns": ttft, "tok/s": 4e10 / ttft, "prefix-hit-%": 49.6, "prefix-expected-%": 50})
		}
	}
	a := answer(t, Of(s.run), "shared")
	assert.Equal(t, "A prefix of 90 % of the prompt in common saves 80.0 % [80.0, 80.0] of TTFT against 0 %: 40.0 ms [40.0, 40.0] in place of 200 ms [200, 200], with prompts of 1000 tokens and 4 in flight."+
		" Throughput is x5.00 [5.00, 5.00]. With a salt of its own for each request, which lets none share, it is 190 ms [190, 190].", a.Text)
	assert.Contains(t, a.Evidence[1], "Prefix/shared=50: 49.6 % [49.6, 49.6], expected 50.0 % [50.0, 50.0]")

	one := newSample(1)
	one.row(1, prefixCell("Prefix/shared=50"), map[string]float64{"p50-ttft-ns": 1e8})
	a = answer(t, Of(one.run), "shared")
	assert.Equal(t, NotEnough, a.Status)

	none := newSample(2)
	for r := 1; r <= 6; r++ {
		none.row(r, prefixCell("Prefix/shared=0"), map[string]float64{"p50-ttft-ns": none.noisy(1e8, 0.05)})
		none.row(r, prefixCell("Prefix/shared=50"), map[string]float64{"p50-ttft-ns": none.noisy(1e8, 0.05)})
	}
	assert.Contains(t, answer(t, Of(none.run), "shared").Text, "makes no difference to TTFT that stands out")
}

func TestTalking(t *testing.T) {
	s := newSample(1)
	cell := measure.Cell{Experiment: turns, Name: "Turns/turns=3/users=4", Batch: 4}
	for r := 1; r <= 6; r++ {
		s.row(r, cell, map[string]float64{measure.TurnTTFT(1): 2e7, measure.TurnTTFT(2): 3e7, measure.TurnTTFT(3): 4e7, "prefix-hit-%": 60, "prefix-expected-%": 66})
	}
	got := Of(s.run)
	a := answer(t, got, "turns")
	assert.Equal(t, "With 4 users, TTFT is 20.0 ms [20.0, 20.0] at turn 1 and 40.0 ms [40.0, 40.0] at turn 3: x2.00 [2.00, 2.00].", a.Text)
	assert.Contains(t, a.Evidence[1], "60.0 % [60.0, 60.0], expected 66.0 % [66.0, 66.0]")
	assert.Len(t, warned(got, "The prefix cache found less than designed: in Turns/turns=3/users=4 60.0 % of the prompt tokens, of 66.0 %."), 1)

	none := newSample(1)
	none.row(1, cell, map[string]float64{measure.TurnTTFT(1): 2e7})
	assert.Equal(t, NotEnough, answer(t, Of(none.run), "turns").Status)
}

func TestWarningsOfOpenLoops(t *testing.T) {
	s := newSample(1)
	late := s.arrive(1, atRateOf(4), 1e7, 100)
	late.Measured.LeftOut = []measure.LeftOut{{Metric: "p99-ttft-ns", Rule: ruleLate, Reason: "requests that the client sent late are 7.0 % of it"}}
	full := s.arrive(1, atRateOf(8), 1e7, 100)
	full.Measured.Values = append(full.Measured.Values, measure.Value{Metric: "preemptions/op", Value: 12})
	dropped := s.row(1, atRateOf(16), nil)
	dropped.Measured.Void = []string{"3 of 40 requests failed (dropped): 5 requests were in flight, which is the cap"}
	got := Of(s.run)
	assert.Len(t, warned(got, "The client sent requests late in 1 row (Arrivals/rate=4)"), 1)
	assert.Len(t, warned(got, "The KV cache ran out under arrivals: 12.0 (n=1) preemptions in a window of Arrivals/rate=8"), 1)
	if void := warned(got, "Void, and in no number: 1 row of 3 (Arrivals/rate=16)."); assert.Len(t, void, 1) {
		assert.Contains(t, void[0].Try, "-in-flight-max")
	}

	probed := newSample(1)
	row := probed.row(1, measure.Cell{Experiment: Probes, Name: "Capacity/rate=64", Rate: 64}, nil)
	row.Measured.Void, row.Measured.Window = dropped.Measured.Void, measure.Window{To: time.Second}
	assert.Empty(t, warned(Of(probed.run), "Void"), "that more came than can be kept in flight is what the search wanted to know")
	row.Measured.Void = []string{"ledger: 3 requests are not ours"}
	assert.Len(t, warned(Of(probed.run), "Void"), 1)
}

// TestRulesAreMeasures holds the names of rules to those that measure has.
func TestRulesAreMeasures(t *testing.T) {
	names := map[string]bool{}
	for _, r := range measure.Rules() {
		names[r.Name] = true
	}
	assert.True(t, names[ruleGrowth] && names[ruleLate])
}
