package report

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/figure"
)

func line(n int, y func(i int) float64) (points []figure.Point) {
	for i := range n {
		points = append(points, figure.Point{X: float64(i), Y: y(i)})
	}
	return points
}

func TestThinnedKeepsEndsAndPeaks(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		n, most := 1+random.IntN(3000), 4+random.IntN(300)
		points := line(n, func(int) float64 { return random.NormFloat64() })
		got := thinned(points, most)
		require.LessOrEqual(t, len(got), max(most, 4))
		require.Equal(t, points[0], got[0])
		require.Equal(t, points[n-1], got[len(got)-1])
		least, highest := extremes(points)
		gotLeast, gotHighest := extremes(got)
		require.Equal(t, least, gotLeast)
		require.Equal(t, highest, gotHighest)
		for i := 1; i < len(got); i++ {
			require.Less(t, got[i-1].X, got[i].X, "in their order")
		}
	}
}

func extremes(points []figure.Point) (least, highest float64) {
	least, highest = math.Inf(1), math.Inf(-1)
	for _, p := range points {
		least, highest = min(least, p.Y), max(highest, p.Y)
	}
	return least, highest
}

func TestPointsKeepTheBudget(t *testing.T) {
	var figures []figure.Figure
	for range 36 {
		f := figure.Figure{Lines: []figure.Line{{Points: line(5, func(i int) float64 { return 1 })}}}
		for range 20 {
			f.Lines = append(f.Lines, figure.Line{Points: line(400, func(i int) float64 { return float64(i) })})
		}
		figures = append(figures, f)
	}
	total := 0
	for _, f := range newPageData(nil, figures, nil).Figures {
		require.Len(t, f.Lines[0].X, 5, "short lines stay whole")
		for _, l := range f.Lines {
			total += len(l.X)
		}
	}
	assert.LessOrEqual(t, total, max(pointBudget, 36*21*leastPoints))
}

func TestBandsOfRowsStayBeforeIdleOnes(t *testing.T) {
	bands := []figure.Band{
		{From: 0, To: 1, Kind: figure.Window}, {From: 2, To: 3, Kind: figure.Void}, {From: 0.1, To: 0.2, Kind: figure.Idle},
		{From: 0.3, To: 0.9, Kind: figure.Idle}, {From: 2, To: 2.1, Kind: figure.Throttled},
	}
	kept := mostOf(bands, 4)
	assert.Equal(t, []figure.Band{bands[0], bands[1], bands[3], bands[4]}, kept)
	assert.Equal(t, bands, mostOf(bands, 5))
}

func TestColumnsThatSayNothingAreLeftOut(t *testing.T) {
	low, high := 1.0, 3.0
	bare := byColumns(figure.Line{Label: "a"}, []figure.Point{{X: 1, Y: 2}})
	assert.Equal(t, lineData{Label: "a", X: []short{1}, Y: []short{2}}, bare)
	full := byColumns(figure.Line{}, []figure.Point{{X: 1, Y: 2, Low: &low, High: &high, N: 8, Label: "batch 1"}, {X: 2, Void: "3 failed"}})
	assert.Equal(t, []int{8, 0}, full.N)
	assert.Equal(t, []string{"", "3 failed"}, full.Void)
	assert.Equal(t, []string{"batch 1", ""}, full.Names)
	assert.Equal(t, short(1), *full.Low[0])
	assert.Nil(t, full.Low[1])
}
