package figure

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/client"
	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// throttledSamples are of two GPUs: throttled at 2 and 3 s, and silent on power at 4 s.
func throttledSamples() (all []results.GPUSample) {
	for i := range 6 {
		s := results.GPUSample{At: time.Duration(i) * time.Second, GPUs: []results.GPUReading{
			{Busy: new(0.2 * float64(i)), DRAM: new(0.5), Power: new(100.0)}, {Busy: new(0.2 * float64(i)), DRAM: new(0.7), Power: new(300.0)},
		}}
		if i == 2 || i == 3 {
			s.GPUs[1].Throttled = []string{"power cap"}
		}
		if i == 4 {
			s.GPUs[0].Power = nil
		}
		all = append(all, s)
	}
	return all
}

func TestGPUFigures(t *testing.T) {
	rows := sweep(1, 1)
	rows[1].row.Void = []string{"2 requests failed"}
	rows[0].row.Gaps = []measure.Window{{From: 1100 * time.Millisecond, To: 1200 * time.Millisecond}}
	by := figuresOf(t, save(t, "a", rows, nil), save(t, "b", rows, throttledSamples()))
	assert.NotContains(t, by, "gpu-timeline-1", "no samples, no figure")
	f := by["gpu-timeline-2"]
	assert.Equal(t, "gpu-timeline", f.Group)
	assert.Equal(t, "b", f.Choice)
	assert.Equal(t, []Point{{X: 0}, {X: 0, Y: 20}, {X: 1, Y: 40}, {X: 2, Y: 60}, {X: 3, Y: 80}, {X: 4, Y: 100}, {X: 5, Y: 100}}, f.Lines[0].Points, "a share is of the time before its sample")
	assert.Equal(t, 60.0, f.Lines[1].Points[0].Y, "the mean of both GPUs")
	assert.Contains(t, f.Bands, Band{From: 1, To: 2, Kind: Window, Label: "Throughput/batch=1", Run: 1})
	assert.Contains(t, f.Bands, Band{From: 3, To: 4, Kind: Void, Label: "Throughput/batch=2: void: 2 requests failed", Run: 1})
	assert.Contains(t, f.Bands, Band{From: 1.1, To: 1.2, Kind: Idle, Label: "idle for 100 ms", Run: 1})
	assert.Contains(t, f.Bands, Band{From: 1, To: 3, Kind: Throttled, Label: "power cap", Run: 1})

	power := by["gpu-power-2"]
	require.Len(t, power.Lines[0].Points, 6, "one GPU alone is no sum")
	assert.Equal(t, 400.0, power.Lines[0].Points[0].Y)
	assert.Equal(t, 700.0, power.Lines[1].Points[0].Y, "the limit")
	assert.GreaterOrEqual(t, power.Y.Max, 700.0)
}

func TestThinnedKeepsPeaks(t *testing.T) {
	points := make([]Point, 10_000)
	for i := range points {
		points[i] = Point{X: float64(i), Y: 50}
	}
	points[1234].Y, points[5678].Y = 100, 0
	got := thinned(points, 600)
	assert.LessOrEqual(t, len(got), 600)
	assert.Contains(t, got, points[1234])
	assert.Contains(t, got, points[5678])
	for i := 1; i < len(got); i++ {
		assert.Greater(t, got[i].X, got[i-1].X)
	}
}

func TestIdleGapsAreBounded(t *testing.T) {
	rows := sweep(1, 1)
	for i := range 500 {
		from := time.Second + time.Duration(i)*time.Millisecond
		rows[0].row.Gaps = append(rows[0].row.Gaps, measure.Window{From: from, To: from + time.Duration(i)*time.Microsecond})
	}
	f := figuresOf(t, save(t, "a", rows, throttledSamples()))["gpu-timeline-1"]
	n := 0
	for _, b := range f.Bands {
		if b.Kind == Idle {
			n++
			assert.GreaterOrEqual(t, b.To-b.From, 349e-6, "the longest are kept")
		}
	}
	assert.Equal(t, mostIdle, n)
	assert.Contains(t, f.Notes, "350 shorter idle gaps are not marked")
}

func TestTimelineOfFailuresAndStalls(t *testing.T) {
	rows := sweep(1, 1)[2:3]
	r := rows[0].requests
	for k := 10; k < 20; k++ {
		r[0].Events[k].At += time.Second
	}
	r[0].End += time.Second
	r[1].Outcome, r[1].Error, r[1].Events = client.TimeoutFirstToken, "no token in 60 s", nil
	for range 150 {
		rows[0].requests = append(rows[0].requests, client.Result{Intended: time.Second, Outcome: client.Connect, Error: "refused"})
	}
	l := Timelines([]*results.Run{save(t, "a", rows, nil)})[0]
	require.Len(t, l.Rows, 1)
	row := l.Rows[0]
	assert.Equal(t, 151, row.Failed, "all are counted")
	failed := map[string]int{}
	for i, b := range row.Bars {
		failed[b.Failed]++
		if i > 0 {
			assert.GreaterOrEqual(t, b.Sent, row.Bars[i-1].Sent, "by their start")
		}
		if len(b.Stalls) > 0 {
			require.Len(t, b.Stalls, 1)
			assert.InDelta(t, 1.005, b.Stalls[0][1]-b.Stalls[0][0], 1e-3)
		}
	}
	assert.Equal(t, 3, failed[""], "of four, one failed")
	assert.Equal(t, 1, failed["timeout_first_token: no token in 60 s"])
	assert.Equal(t, mostFailed-1, failed["connect: refused"])
	assert.Contains(t, drawn(t, l.Draw), fmt.Sprintf("x: %d failed, connect: refused", mostFailed-1))
}

func TestTimelinesAreBounded(t *testing.T) {
	run, err := results.Open("../../results/baseline")
	require.NoError(t, err)
	defer run.Close()
	runs := make([]*results.Run, 20)
	for i := range runs {
		runs[i] = run
	}
	all := Timelines(runs)
	text, err := json.Marshal(all)
	require.NoError(t, err)
	assert.Less(t, len(text), 300_000)
	require.Len(t, all, 20)
	assert.Equal(t, len(run.Rows), len(all[19].Rows)+all[19].Left)
	cells := map[string]bool{}
	for _, r := range all[0].Rows {
		cells[r.Cell] = true
	}
	assert.GreaterOrEqual(t, len(cells), 17, "the first repetition of the cells goes first")
}
