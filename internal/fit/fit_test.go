package fit

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/results"
	"vllmbench/internal/vllmsim"
)

func h200() vllmsim.Config {
	return vllmsim.Config{Model: "Qwen2.5-7B", GPU: "H200", MaxModelLen: 4096}
}

// made returns cells as a server of that timing would show them.
func made(t *testing.T, timing vllmsim.Timing) []Cell {
	t.Helper()
	var cells []Cell
	for _, l := range []vllmsim.Load{{Streams: 1, Prompt: 10, Output: 20}, {Streams: 1, Prompt: 3000, Output: 20}, {Streams: 8, Prompt: 10, Output: 20}, {Streams: 4, Prompt: 100, Output: 20}} {
		l.Rounds = 2
		cells = append(cells, Cell{Load: l})
	}
	c := h200()
	c.Timing = timing
	judged, err := Judge(c, cells)
	require.NoError(t, err)
	for i := range cells {
		cells[i].Measured = judged[i].Predicted
	}
	return cells
}

func TestTimingIsFound(t *testing.T) {
	want := vllmsim.Timing{Bandwidth: 0.55, Compute: 0.4, Request: 2 * time.Millisecond, Latency: 6 * time.Millisecond}
	got, err := Timing(h200(), made(t, want))
	require.NoError(t, err)
	assert.InEpsilon(t, want.Bandwidth, got.Bandwidth, 0.01)
	assert.InEpsilon(t, want.Compute, got.Compute, 0.01)
	assert.InEpsilon(t, want.Request, got.Request, 0.05)
	assert.InEpsilon(t, want.Latency, got.Latency, 0.05)
	assert.Zero(t, got.Step, "as it was")
}

// A recorded run of a real server is predicted to 10 %, each cell by the fit of
// the others, but for TTFT at two batch sizes: see docs/simulator.md.
func TestBaseline(t *testing.T) {
	if testing.Short() {
		t.Skip("it fits twice, which takes seconds")
	}
	run, err := results.Load("../../results/baseline")
	require.NoError(t, err)
	defer run.Close()
	config, err := Config(run, "", "")
	require.NoError(t, err)
	assert.Equal(t, 1024, config.MaxNumSeqs)
	assert.Equal(t, 130391, config.NumGPUBlocksOverride)
	cells := Cells(run)
	require.Len(t, cells, 18)
	judged, err := Halves(config, cells)
	require.NoError(t, err)
	within, all := Within(judged, 0.1)
	assert.Equal(t, 54, all)
	assert.GreaterOrEqual(t, within, 52)
	for i, j := range judged {
		assert.Equal(t, cells[i].Name, j.Name)
		assert.Less(t, math.Abs(j.Errors().ITL), 0.05, j.Name)
		assert.Less(t, math.Abs(j.Errors().Rate), 0.1, j.Name)
		assert.Less(t, math.Abs(j.Errors().TTFT), 0.2, j.Name)
	}
}

func TestCellsLeaveOutWhatIsVoidOrUnknown(t *testing.T) {
	run, err := results.Load("../../results/cpu-baseline.txt")
	require.NoError(t, err)
	defer run.Close()
	cells := Cells(run)
	require.NotEmpty(t, cells)
	for _, c := range cells {
		assert.Positive(t, c.Load.Streams)
		assert.Positive(t, c.Measured.TTFT, c.Name)
	}
	_, err = Config(run, "", "")
	require.ErrorContains(t, err, "name them with -model and -gpu")
	config, err := Config(run, "Qwen2.5-0.5B", "L4")
	require.NoError(t, err)
	assert.Equal(t, "L4", config.GPU)
}

func TestErrors(t *testing.T) {
	_, err := Timing(h200(), nil)
	assert.ErrorContains(t, err, "no valid cell")
	_, err = Halves(h200(), made(t, vllmsim.Timing{})[:1])
	assert.ErrorContains(t, err, "two halves need two cells")
	bad := h200()
	bad.GPU = "Voodoo"
	_, err = Timing(bad, []Cell{{Load: vllmsim.Load{Streams: 1, Prompt: 1, Output: 1}}})
	assert.ErrorContains(t, err, `unknown GPU "Voodoo"`)
}

func TestWrite(t *testing.T) {
	judged := []Judged{
		{Cell{Name: "a", Measured: Triple{0.01, 0.0123, 1234.5}}, Triple{0.0112, 0.01, 1200}},
		{Cell{Name: "one token", Measured: Triple{TTFT: 0.0001234, Rate: 7}}, Triple{0.0001, 0, 7}},
	}
	within, all := Within(judged, 0.1)
	assert.Equal(t, []int{2, 5}, []int{within, all})
	var b strings.Builder
	require.NoError(t, Write(&b, judged))
	assert.Equal(t, strings.Join([]string{
		"cell      | TTFT ms | predicted | off     | ITL ms | predicted | off     | tok/s | predicted | off",
		"a         | 10.0    | 11.2      | +12.0 % | 12.3   | 10.0      | -18.7 % | 1234  | 1200      | -2.8 %",
		"one token | 0.123   | 0.100     | -19.0 % | -      | 0.000     | -       | 7.00  | 7.00      | +0.0 %", "",
	}, "\n"), b.String())
}
