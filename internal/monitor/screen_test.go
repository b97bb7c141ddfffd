package monitor

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/gpuprobe"
)

var update = flag.Bool("update", false, "write the golden files anew")

// underLoad is a state after a minute of a load that comes and goes, with a
// throttled, then idle GPU, and preemptions.
func underLoad(s *State) *State {
	done, preempted := 0.0, 0.0
	for i := range 60 {
		wave := math.Round(8 + 7*math.Sin(float64(i)/6))
		share := wave / 15
		if i >= 50 && i < 53 {
			share = 0
		}
		done += wave / 4
		snap := snapshot(float64(i+1), math.Round(done), wave)
		if i == 30 {
			preempted = 3
		}
		snap.Preemptions.N = preempted
		u := usage(float64(i), float64(i+1), share)
		u.SM, u.Temperature = told(0.6*share), told(40+30*share)
		u.Throttle[gpuprobe.PowerCap] = told(0)
		if i == 59 {
			u.Throttle[gpuprobe.PowerCap] = told(0.4)
		}
		t := Tick{At: at(float64(i + 1)), GPUs: gpuprobe.State{Name: gpuprobe.StateNVML}}
		if s.URL != "" {
			t.Server = snap
		}
		if len(s.GPUs) > 0 {
			t.GPU = u
		}
		s.Add(t)
	}
	return s
}

func subject(url string, gpus []gpuprobe.Device) *State {
	return NewState(Subject{URL: url, GPUs: gpus, Source: "this machine's", Interval: time.Second}, start)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o666))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "go test -update writes it")
	assert.Equal(t, string(want), got)
}

func TestScreen(t *testing.T) {
	const url = "http://server:8000"
	twice := append(oneGPUDevice, gpuprobe.Device{Index: 1, Name: "NVIDIA H200"})
	gone := underLoad(subject(url, oneGPUDevice))
	gone.Add(Tick{At: at(61), Err: errors.New("no server answers at http://server:8000 (connection refused): start it, or name another server"), GPU: usage(60, 61, 0), GPUs: gpuprobe.State{Name: gpuprobe.StateNVML}})
	simulated := underLoad(subject(url, []gpuprobe.Device{{Name: "simulated A100-80GB", Simulated: true}}))
	simulated.Simulated = true
	two := underLoad(subject("", twice))
	two.gpu.usage.GPUs = []gpuprobe.Figures{two.gpu.usage.Figures, two.gpu.usage.Figures}
	nogpu := subject(url, nil)
	nogpu.NoGPU = "no driver: libnvidia-ml.so.1 is missing"
	for _, c := range []struct {
		name  string
		state *State
		view  View
	}{
		{"both-80x24", underLoad(subject(url, oneGPUDevice)), View{Width: 80, Height: 24}},
		{"both-160x48", underLoad(subject(url, oneGPUDevice)), View{Width: 160, Height: 48}},
		{"both-80x24-colour", underLoad(subject(url, oneGPUDevice)), View{Width: 80, Height: 24, Colour: true}},
		{"both-40x20", underLoad(subject(url, oneGPUDevice)), View{Width: 40, Height: 20}},
		{"both-30x5", underLoad(subject(url, oneGPUDevice)), View{Width: 30, Height: 5}},
		{"simulated-80x24", simulated, View{Width: 80, Height: 24, Held: true}},
		{"gone-80x24", gone, View{Width: 80, Height: 24}},
		{"server-80x24", underLoad(nogpu), View{Width: 80, Height: 24}},
		{"server-page-80x24", underLoad(subject(url, oneGPUDevice)), View{Width: 80, Height: 24, Page: ServerPage}},
		{"two-gpus-80x24", two, View{Width: 80, Height: 24, Page: GPUPage}},
		{"events-80x24", gone, View{Width: 80, Height: 24, Page: EventPage}},
		{"empty-80x24", subject(url, oneGPUDevice), View{Width: 80, Height: 24}},
	} {
		t.Run(c.name, func(t *testing.T) { golden(t, c.name+".txt", Screen(c.state, c.view)+"\n") })
	}
}

// TestScreenFits makes sure that no size makes a line too long or panics.
func TestScreenFits(t *testing.T) {
	states := []*State{underLoad(newState()), newState(), subject("", nil), underLoad(subject("", oneGPUDevice))}
	for _, w := range []int{0, 1, 7, 20, 39, 60, 71, 72, 80, 119, 120, 200, 700} {
		for _, h := range []int{0, 1, 2, 5, 8, 15, 16, 24, 48, 100} {
			for p := range pages {
				for i, s := range states {
					lines := strings.Split(Screen(s, View{Width: w, Height: h, Page: p, Colour: i == 0}), "\n")
					require.LessOrEqual(t, len(lines), max(h, 1))
					for _, l := range lines {
						require.LessOrEqual(t, lipgloss.Width(l), max(w, 1), "%dx%d page %d: %q", w, h, p, l)
					}
				}
			}
		}
	}
}

func TestNoColourMeansNone(t *testing.T) {
	assert.NotContains(t, Screen(underLoad(newState()), View{Width: 80, Height: 24}), "\x1b")
	assert.Contains(t, Screen(underLoad(newState()), View{Width: 80, Height: 24, Colour: true}), "\x1b[")
}

func TestFigure(t *testing.T) {
	for x, want := range map[float64]string{
		0: "0", 0.0001: "<0.001", 0.2141: "0.214", 0.9999: "1.00", 1: "1.00", 9.999: "10.0", 23.06: "23.1", 99.96: "100", 568.4: "568",
		2620: "2620", 9999.4: "9999", 9999.6: "10.0k", 12620: "12.6k", 999.6e3: "1.00M", 3.2e9: "3.20G", 5e12: "5.00T",
	} {
		assert.Equal(t, want, figure(x), fmt.Sprint(x))
	}
}

func TestSparkline(t *testing.T) {
	cells := []cell{{n: 0, known: true}, {}, {n: 50, known: true}, {n: 100, known: true}, {n: 200, known: true}}
	assert.Equal(t, []string{" ▁ ▄▇▇"}, sparkline(cells, outTokens, 100, 6, 1))
	assert.Equal(t, []string{"   ▇▇", "▁ ███"}, sparkline(cells, outTokens, 100, 5, 2), "twice the height, the same scale")
	assert.Equal(t, []string{"▇▇"}, sparkline(cells, outTokens, 100, 2, 1), "the newest")
	assert.Equal(t, []string{"▁"}, sparkline(cells[:1], outTokens, 0, 1, 1))
}

func TestBig(t *testing.T) {
	lines, ok := big("1.7", 20)
	assert.True(t, ok)
	assert.Equal(t, "▄█    ▀▀█\n █      █\n▀▀▀ ▀   ▀", strings.Join(lines[:], "\n"))
	_, ok = big("12345", 10)
	assert.False(t, ok, "too wide")
	_, ok = big("1 s", 80)
	assert.False(t, ok, "no drawing")
}
