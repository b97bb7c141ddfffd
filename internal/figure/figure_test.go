package figure

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/answers"
	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

func TestFiguresGolden(t *testing.T) {
	runs := []*results.Run{save(t, "baseline", sweep(6, 1), nil), save(t, "week3", sweep(6, 1.5), nil)}
	all, err := All(runs, []answers.Summary{summary(), {}})
	require.NoError(t, err)
	golden(t, "figures.json", all)
	golden(t, "timelines.json", Timelines(runs))
}

func TestAllRefuses(t *testing.T) {
	_, err := All(nil, nil)
	require.EqualError(t, err, "no run to draw: name one or more")
	_, err = All([]*results.Run{{}, {}}, make([]answers.Summary, 1))
	require.EqualError(t, err, "1 summaries for 2 runs: give one for each")
	figures, err := All([]*results.Run{{Name: "empty"}}, make([]answers.Summary, 1))
	require.NoError(t, err)
	require.Empty(t, figures)
}

// TestVoidEntersNothing gives the void rows of a cell absurd values.
func TestVoidEntersNothing(t *testing.T) {
	void := func(tokens float64) map[string]Figure {
		rows := sweep(6, 1)
		for i := range rows {
			if rows[i].row.Batch == 4 {
				rows[i].row.Void = []string{"2 requests failed"}
				rows[i].row.Values = values("tok/s", tokens, "p50-itl-ns", tokens, "p50-ttft-ns", tokens, "J/tok", tokens, "engine-queue-ns", tokens)
			}
		}
		return figuresOf(t, save(t, "baseline", rows, nil))
	}
	calm, absurd := void(400), void(25_289_000)
	assert.Equal(t, calm, absurd)

	f := absurd["throughput"]
	points := f.Lines[0].Points
	require.Len(t, points, 3)
	assert.Equal(t, Point{X: 4, Void: "2 requests failed"}, points[2])
	assert.Equal(t, []float64{1, 2, 4}, f.X.Ticks, "the level stays in sight")
	assert.Less(t, f.Y.Max, 900.0, "the roofline's 800 at batch 2 is the most")
	assert.Contains(t, f.Notes[len(f.Notes)-1], "baseline, Throughput/batch=4 is void: 2 requests failed")
	for _, l := range absurd["tradeoff"].Lines {
		assert.Len(t, l.Points, 2, "a void cell has no throughput to stand at")
	}
	assert.NotContains(t, absurd, "ecdf-itl-throughput-batch-4")
	assert.Contains(t, drawn(t, f.Draw), "void")
}

func TestVoidRowsAmongValidOnes(t *testing.T) {
	rows := sweep(7, 1)
	rows[2].row.Void = []string{"ledger: 3 requests are not ours"}
	f := figuresOf(t, save(t, "baseline", rows, nil))["throughput"]
	assert.Empty(t, f.Lines[0].Points[2].Void)
	assert.Equal(t, 6, f.Lines[0].Points[2].N)
	assert.Contains(t, f.Notes, "baseline, Throughput/batch=4 has void rows, which are left out (6 are not): ledger: 3 requests are not ours")
}

func TestIntervalsNeedSix(t *testing.T) {
	for n, bars := range map[int]bool{1: false, 5: false, 6: true} {
		for id, f := range figuresOf(t, save(t, "baseline", sweep(n, 1), nil)) {
			if f.Group != "" {
				continue
			}
			for _, p := range f.Lines[0].Points {
				assert.Equal(t, bars, p.Low != nil && p.High != nil, "%s of %d", id, n)
				assert.Equal(t, n, p.N, "%s: outputs of a repetition are no repetitions", id)
			}
			says := slices.ContainsFunc(f.Notes, func(s string) bool { return strings.Contains(s, "an interval needs 6") })
			assert.Equal(t, !bars, says, "%s of %d: %v", id, n, f.Notes)
		}
	}
}

func TestTradeoffIsInTheOrderOfTheBatch(t *testing.T) {
	rows := sweep(6, 1)
	for i := range rows {
		if rows[i].row.Batch == 2 { // overloaded, slower than batch 1
			rows[i].row.Values[0].Value = 50
		}
	}
	f := figuresOf(t, save(t, "baseline", rows, nil))["tradeoff"]
	var labels []string
	for _, p := range f.Lines[0].Points {
		labels = append(labels, p.Label)
	}
	assert.Equal(t, []string{"batch 1", "batch 2", "batch 4"}, labels)
	assert.Equal(t, 50.0, f.Lines[0].Points[1].X)
}

func TestWhatIsWorthAFigure(t *testing.T) {
	rows := sweep(6, 1)
	assert.Contains(t, figuresOf(t, save(t, "a", rows, nil)), "queue")
	assert.NotContains(t, figuresOf(t, save(t, "a", rows, nil)), "preemptions")
	for i := range rows {
		rows[i].row.Values = slices.DeleteFunc(rows[i].row.Values, func(v measure.Value) bool { return v.Metric == "J/tok" })
		for k := range rows[i].row.Values {
			switch v := &rows[i].row.Values[k]; v.Metric {
			case "engine-queue-ns":
				v.Value = 1e5
			case "preemptions/op":
				v.Value = 0.5
			}
		}
	}
	by := figuresOf(t, save(t, "a", rows, nil))
	assert.NotContains(t, by, "queue")
	assert.NotContains(t, by, "energy")
	assert.Contains(t, by, "preemptions")
}

func TestLinesOfThroughput(t *testing.T) {
	f := figuresOf(t, save(t, "a", sweep(6, 1), nil), save(t, "b", sweep(6, 1.5), nil))["throughput"]
	roles := map[string]Line{}
	for _, l := range f.Lines {
		roles[l.Role] = l
	}
	data := f.Lines[0].Points
	for i, p := range roles[Ideal].Points {
		assert.InDelta(t, data[0].Y*data[i].X, p.Y, 1e-9)
	}
	for _, p := range roles[Floor].Points { // half of 5 ms is the floor of a step
		assert.InDelta(t, p.X/2.5e-3, p.Y, 1e-6)
	}
	assert.Equal(t, "a: knee at batch 2.20 [1.90, 2.50]", f.Marks[0].Label)
}

func TestManyRunsHaveOneLineEach(t *testing.T) {
	var runs []*results.Run
	for range 20 {
		runs = append(runs, save(t, "run", sweep(6, 1), nil))
	}
	by := figuresOf(t, runs...)
	for _, id := range []string{"ttft-prompt", "e2e-output", "tpot-output", "ecdf-itl-throughput-batch-4"} {
		assert.Len(t, by[id].Lines, 20, id)
	}
	assert.Contains(t, by["e2e-output"].Notes, "not drawn, for want of room: prompts of 10 tokens")
	assert.Equal(t, "run: 20.0 µs a token", by["ttft-prompt"].Lines[7].Label)
}

func TestTextHasNoDistributions(t *testing.T) {
	text, err := results.Load("../../results/cpu-baseline.txt")
	require.NoError(t, err)
	by := figuresOf(t, text)
	assert.Contains(t, by, "throughput")
	assert.Contains(t, by, "ttft-prompt")
	for id := range by {
		assert.False(t, strings.HasPrefix(id, "ecdf"), id)
	}
	assert.Empty(t, Timelines([]*results.Run{text}))

	both := figuresOf(t, text, save(t, "a", sweep(6, 1), nil))
	assert.Contains(t, both["ecdf-itl-throughput-batch-4"].Notes, "cpu-baseline has no requests of it")
}

func BenchmarkAll(b *testing.B) {
	var runs []*results.Run
	for _, name := range []string{"baseline", "week3"} {
		run, err := results.Open("../../results/" + name)
		if os.IsNotExist(err) {
			b.Skip(err)
		}
		require.NoError(b, err)
		defer run.Close()
		runs = append(runs, run)
	}
	for b.Loop() {
		figuresOf(b, runs...)
	}
}
