package figure

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/client"
	"vllmbench/internal/answers"
	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

const reasonGrew = "the queue grew by 31 requests"

// openRow is a row of an open loop at a rate; with a goodput below 0 its queue grew.
func openRow(experiment, name string, rate, goodput float64) planned {
	row := measure.Row{
		Cell:   measure.Cell{Experiment: experiment, Name: fmt.Sprintf("%s/rate=%v", name, rate), Rate: rate, PromptTokens: 200, OutputTokens: 100},
		Window: measure.Window{From: time.Second, To: 2 * time.Second}, SLO: "ttft:200ms,e2e:5s",
	}
	if goodput < 0 {
		for _, metric := range []string{"p50-ttft-ns", "p50-e2e-ns", "goodput-req/s", "slo-%"} {
			row.LeftOut = append(row.LeftOut, measure.LeftOut{Metric: metric, Rule: "growth", Reason: reasonGrew})
		}
		return planned{row: row}
	}
	row.Values = values("p50-ttft-ns", 1e7*rate, "p90-ttft-ns", 2e7*rate, "p50-e2e-ns", 1e9, "goodput-req/s", goodput, "slo-%", 100*goodput/rate)
	return planned{row: row}
}

func loads(repetitions int) (rows []planned) {
	for range repetitions {
		rows = append(rows, openRow("arrivals", "Arrivals", 1, 1), openRow("arrivals", "Arrivals", 4, 3.8), openRow("arrivals", "Arrivals", 8, -1))
	}
	return append(rows, openRow("probe", "Capacity", 3.5, 3.4), openRow("probe", "Capacity", 6.25, -1))
}

func TestFiguresOverTheRate(t *testing.T) {
	run := save(t, "open", loads(6), nil)
	all, err := All([]*results.Run{run}, []answers.Summary{{Capacity: &answers.Estimate{Value: 4.5, Low: new(4.2), High: new(4.9), N: 1}}})
	require.NoError(t, err)
	by := map[string]Figure{}
	for _, f := range all {
		by[f.ID] = f
	}
	f := by["rate-ttft"]
	assert.Equal(t, []Limit{{Y: 200, Label: "SLO: TTFT 200 ms"}}, f.Limits)
	assert.Equal(t, []float64{1, 4, 8}, f.X.Ticks, "those that were set; a search's are anywhere")
	assert.GreaterOrEqual(t, f.Y.Max, 200.0, "the SLO is in sight")
	require.Len(t, f.Marks, 1)
	assert.Equal(t, "open: capacity 4.50 req/s [4.20, 4.90]", f.Marks[0].Label)
	median := f.Lines[0]
	assert.Equal(t, "open, median", median.Label)
	assert.Equal(t, 10.0, median.Points[0].Y)
	assert.NotNil(t, median.Points[0].Low)
	assert.Equal(t, Point{X: 8, Void: reasonGrew}, median.Points[2])
	assert.Equal(t, []string{"open, median", "open, median, probes", "open, p90"}, labels(f))
	assert.Contains(t, f.Notes, "open, Arrivals/rate=8 void: "+reasonGrew)
	assert.Contains(t, drawn(t, f.Draw), "SLO: TTFT 200 ms")
	assert.Equal(t, []Limit{{Y: 5000, Label: "SLO: E2E 5.00 s"}}, by["rate-e2e"].Limits)
	assert.NotContains(t, by, "rate-itl", "it was not measured")

	good := by["rate-goodput"]
	assert.Equal(t, []string{"open", "open, probes", "all that are offered"}, labels(good))
	for _, p := range good.Lines[2].Points {
		assert.Equal(t, p.X, p.Y)
	}
	assert.Contains(t, good.Notes, "open: SLO ttft:200ms,e2e:5s")

	search := by["rate-slo"]
	assert.Equal(t, []Limit{{Y: 95, Label: "wanted: 95 %"}}, search.Limits)
	assert.NotContains(t, by, "batch-slo")
	for id := range by {
		assert.NotContains(t, id, "ecdf", "nothing was sent")
	}
}

func TestLuckyRepetitionsAreNoLevel(t *testing.T) {
	rows := loads(2)
	rows[4] = openRow("arrivals", "Arrivals", 4, -1) // the second repetition
	f := figuresOf(t, save(t, "open", rows, nil))["rate-ttft"]
	assert.Equal(t, Point{X: 4, Void: reasonGrew}, f.Lines[0].Points[1])
}

func labels(f Figure) (all []string) {
	for _, l := range f.Lines {
		all = append(all, l.Label)
	}
	return all
}

// TestDueRequestsAreDistributed: of an open loop the requests that were due in the window count, from then on.
func TestDueRequestsAreDistributed(t *testing.T) {
	p := openRow("arrivals", "Arrivals", 4, 4)
	sent := func(due, late, ttft time.Duration) {
		r := client.Result{Scheduled: true, Intended: due, Sent: due + late, Outcome: client.OK, Attempts: 1, OutputTokens: 1}
		r.Events = []client.Event{{At: r.Sent + ttft, Tokens: 1}}
		r.End = r.Events[0].At
		p.requests = append(p.requests, r)
	}
	sent(900*time.Millisecond, 0, 300*time.Millisecond)          // its first token came in the window
	sent(time.Second, 0, 20*time.Millisecond)                    // due as it began
	sent(1900*time.Millisecond, 5*time.Millisecond, time.Second) // its first token came after it
	sent(2*time.Second, time.Millisecond, 10*time.Millisecond)   // due as it ended
	probe := openRow("probe", "Capacity", 3, 3)
	probe.requests = slices.Clone(p.requests)
	by := figuresOf(t, save(t, "open", []planned{p, probe}, nil))
	f := by["ecdf-ttft-arrivals-rate-4"]
	require.Len(t, f.Lines, 1)
	assert.Equal(t, "TTFT (ms), from when it was due", f.X.Label)
	assert.Equal(t, []float64{20, 1005}, xs(f.Lines))
	assert.NotContains(t, by, "ecdf-ttft-capacity-rate-3", "each probe is a cell of its own")
}

func TestSharedAndTurns(t *testing.T) {
	var rows []planned
	for range 6 {
		for i, name := range []string{"Prefix/shared=90", "Prefix/shared=0", "Prefix/shared=90/salt=request"} {
			rows = append(rows, planned{row: measure.Row{
				Cell:   measure.Cell{Experiment: "prefix", Name: name, Batch: 4, PromptTokens: 1000},
				Values: values("p50-ttft-ns", 1e7*float64(i+1), "prefix-hit-%", 89.6, "prefix-expected-%", 90),
			}})
		}
		rows = append(rows, planned{row: measure.Row{
			Cell:   measure.Cell{Experiment: "turns", Name: "Turns/turns=2/users=4", Batch: 4},
			Values: values(measure.TurnTTFT(1), 1e7, measure.TurnTTFT(2), 2e7),
		}})
	}
	by := figuresOf(t, save(t, "chat", rows, nil))
	f := by["shared-ttft"]
	assert.Equal(t, []string{"chat", "chat, a salt each"}, labels(f))
	assert.Equal(t, []float64{0, 90}, f.X.Ticks)
	assert.Equal(t, []float64{0, 90, 90}, xs(f.Lines))
	assert.Equal(t, 20.0, f.Lines[0].Points[0].Y)
	hits := by["shared-hits"]
	assert.Equal(t, []string{"chat, found", "chat, expected", "chat, a salt each, found", "chat, a salt each, expected"}, labels(hits))
	assert.Equal(t, Ideal, hits.Lines[1].Role)
	assert.Equal(t, 90.0, hits.Lines[1].Points[0].Y)
	turns := by["turns-ttft"]
	assert.Equal(t, []float64{1, 2}, turns.X.Ticks)
	assert.Equal(t, 20.0, turns.Lines[0].Points[1].Y)
}
