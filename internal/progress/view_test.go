package progress

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden file")

const ms = time.Millisecond

// views are what a user may see in the course of a run.
func views() []view {
	full := view{
		name: "Throughput/batch=16", cell: 3, cells: 18, round: 1, rounds: 1, phase: timing, share: 0.4399,
		left: 12*time.Minute + 20*time.Second, known: true, rate: 1636.4, ttft: 45*ms + 230*time.Microsecond, inFlight: 16,
	}
	with := func(change func(*view)) view {
		v := full
		change(&v)
		return v
	}
	rounds := func(v *view) { v.round, v.rounds, v.cell = 2, 10, 12 }
	return []view{
		{name: "Latency", cell: 1, cells: 18, round: 1, rounds: 1, phase: warming, left: 36 * time.Second, known: true, inFlight: 1},
		{name: "Latency", cell: 1, cells: 18, round: 1, rounds: 1, phase: timing, share: 0.009, inFlight: 1},
		full,
		with(rounds),
		with(func(v *view) { v.rate, v.ttft, v.left, v.phase = 123456, 1234*ms, 125*time.Minute, draining }),
		with(func(v *view) { v.cell, v.known = 0, false }),
		with(func(v *view) {
			v.void, v.reason = 1, "ledger: the server counted 1 more finished requests than the 10 of ours"
		}),
		with(func(v *view) {
			rounds(v)
			v.void, v.reason = 12, "the server said\x1b[2J\r\nGröße \u202eabc 面面面面面面面面面面 and more"
		}),
		with(func(v *view) { v.name, v.inFlight = "SeqLen/prompt=1000/output=200", 1 }),
	}
}

// Each view at several widths, as one line that holds no control character.
func TestLines(t *testing.T) {
	var got strings.Builder
	for _, width := range []int{120, 80, 40, 12} {
		fmt.Fprintf(&got, "%d columns\n", width)
		for _, v := range views() {
			line := v.line(width - 1)
			assert.Less(t, ansi.StringWidth(line), width, line)
			fmt.Fprintf(&got, "|%s\n", line)
		}
	}
	for _, r := range got.String() {
		assert.False(t, r < ' ' && r != '\n' || r == 0x7f || r == 0x202e, "control character %q", r)
	}
	golden := filepath.Join("testdata", "lines.txt")
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got.String()), 0o666))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), got.String())
}

func TestAnyWidth(t *testing.T) {
	for width := range 200 {
		for _, v := range views() {
			line := v.line(width)
			assert.LessOrEqual(t, ansi.StringWidth(line), width)
		}
	}
	for _, v := range views()[6:8] {
		assert.Contains(t, v.line(79), "void: ", "why a row is void is worth more than the rest")
	}
}

func TestFigure(t *testing.T) {
	for x, want := range map[float64]string{
		0.01234: "0.0123", 0.9996: "1.00", 1: "1.00", 9.996: "10.0", 45.23: "45.2", 99.96: "100", 1636.4: "1640", 9999: "10\u2009000", 123456: "123\u2009000", 1.5e7: "15\u2009000\u2009000",
	} {
		assert.Equal(t, want, figure(x), x)
	}
}

// FuzzLine feeds the line with a name and a reason from anywhere.
func FuzzLine(f *testing.F) {
	f.Add("Latency", "void \x1b[31m", 80)
	f.Add("\u0301\u200d", "\xff\xfe", 3)
	f.Fuzz(func(t *testing.T, name, reason string, width int) {
		width %= 300
		v := view{name: name, reason: reason, void: 1, rate: rand.Float64() + 1e-3, rounds: 1, phase: timing}
		line := v.line(width)
		assert.NotContains(t, line, "\x1b")
		assert.NotContains(t, line, "\n")
		assert.NotContains(t, line, "\r")
		assert.LessOrEqual(t, ansi.StringWidth(line), max(width, 0))
	})
}
