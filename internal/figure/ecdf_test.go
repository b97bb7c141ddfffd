package figure

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// holdsQuantiles checks steps against the samples: every quantile within
// tolerance, by rank or by value.
func holdsQuantiles(t *testing.T, sorted []float64) {
	t.Helper()
	steps, n := ecdf(sorted, "ms"), len(sorted)
	require.LessOrEqual(t, len(steps), 400)
	require.Equal(t, digits(sorted[0], 5), steps[0].X)
	require.Equal(t, digits(sorted[n-1], 5), steps[len(steps)-1].X)
	require.Equal(t, 100.0, steps[len(steps)-1].Y)
	require.True(t, slices.IsSortedFunc(steps, func(a, b Point) int {
		if a.X > b.X || a.Y >= b.Y {
			return 1
		}
		return -1
	}))
	const rounding = 2e-5
	at := 0
	for r := 1; r <= n; r++ {
		for steps[at].Y < 100*float64(r)/float64(n)*(1-rounding) {
			at++
		}
		got := steps[at].X
		value := math.Abs(got-sorted[r-1]) <= (tolerance+rounding)*sorted[r-1]
		lo, _ := slices.BinarySearch(sorted, got*(1-rounding))
		hi := sort.Search(n, func(i int) bool { return sorted[i] > got*(1+rounding) })
		ranks := math.Ceil(tolerance * float64(n))
		near := float64(r) >= float64(lo+1)-ranks && float64(r) <= float64(hi)+ranks
		require.True(t, value || near, "rank %d of %d: %v instead of %v (ranks %d to %d)", r, n, got, sorted[r-1], lo+1, hi)
	}
}

func TestECDFHoldsQuantiles(t *testing.T) {
	shapes := map[string]func(*rand.Rand) float64{
		"normal": func(r *rand.Rand) float64 { return math.Abs(5 + r.NormFloat64()/4) },
		"heavy":  func(r *rand.Rand) float64 { return math.Exp(3 * r.NormFloat64()) },
		"modes":  func(r *rand.Rand) float64 { return []float64{1, 5, 5.001, 80}[r.IntN(4)] + r.Float64()/100 },
		"ties":   func(r *rand.Rand) float64 { return float64(r.IntN(7)) },
		"spread": func(r *rand.Rand) float64 { return 1e6 * r.Float64() },
	}
	for name, draw := range shapes {
		for _, n := range []int{1, 2, 10, 99, 100, 399, 401, 1000, 12_345} {
			t.Run(fmt.Sprint(name, n), func(t *testing.T) {
				r := rand.New(rand.NewPCG(1, uint64(n)))
				samples := make([]float64, n)
				for i := range samples {
					samples[i] = draw(r)
				}
				slices.Sort(samples)
				holdsQuantiles(t, samples)
			})
		}
	}
}

func FuzzECDF(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8})
	f.Add(slices.Repeat([]byte{9, 9, 200, 1, 0, 0}, 300))
	f.Fuzz(func(t *testing.T, data []byte) {
		var samples []float64
		for ; len(data) >= 2; data = data[2:] {
			samples = append(samples, float64(binary.LittleEndian.Uint16(data))/1000)
		}
		if len(samples) == 0 {
			return
		}
		slices.Sort(samples)
		holdsQuantiles(t, samples)
	})
}

func TestMarkedQuantilesAreExactAndBounded(t *testing.T) {
	for n, want := range map[int][]string{
		5: {"p50 3.00 ms"}, 99: {"p50 50.0 ms"}, 100: {"p50 50.0 ms", "p90 90.0 ms"}, 999: {"p50 500 ms", "p90 900 ms"},
		1000: {"p50 500 ms", "p90 900 ms", "p99 990 ms"},
	} {
		samples := make([]float64, n)
		for i := range samples {
			samples[i] = float64(i + 1)
		}
		var got []string
		for _, p := range ecdf(samples, "ms") {
			if p.Label != "" {
				got = append(got, p.Label)
			}
		}
		assert.Equal(t, want, got, "%d samples", n)
	}
}

// TestPoolsAreThoseOfMeasure holds every row of a real run to the quantiles and counts that measure gave it.
func TestPoolsAreThoseOfMeasure(t *testing.T) {
	run, err := results.Open("../../results/baseline")
	require.NoError(t, err)
	defer run.Close()
	for i := range run.Rows {
		requests, err := read(run, i)
		require.NoError(t, err)
		row := &run.Rows[i].Measured
		p := &pool{left: map[string]int{}}
		p.add(row, requests)
		for quantity, samples := range map[string][]float64{"ttft": p.ttft, "itl": p.itl} {
			slices.Sort(samples)
			for _, v := range row.Values {
				if v.Metric == "p50-"+quantity+"-ns" {
					assert.Len(t, samples, v.N, "%s of row %d", quantity, i)
					assert.InDelta(t, v.Value, samples[rank(50, len(samples))-1]*1e6, 1, "%s of row %d", quantity, i)
				}
			}
		}
	}
}

func TestRowsThatMeasureLeftOutAreNotPooled(t *testing.T) {
	rows := sweep(6, 1)
	for i := range rows {
		if rows[i].row.Batch == 4 && i < 7 {
			rows[i].row.LeftOut = []measure.LeftOut{{Metric: "p50-itl-ns", Rule: "merged", Reason: "3.1 % of the events came under one stamp"}}
		}
	}
	by := figuresOf(t, save(t, "baseline", rows, nil))
	f := by["ecdf-itl-throughput-batch-4"]
	assert.Contains(t, f.Notes, "baseline: 1 rows are not in it: itl: 3.1 % of the events came under one stamp")
	assert.Equal(t, "baseline, 380 gaps", f.Lines[0].Label)
	assert.Equal(t, "baseline, 24 requests", by["ecdf-ttft-throughput-batch-4"].Lines[0].Label, "first tokens are not touched by it")
}
