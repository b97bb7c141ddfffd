package figure

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot/vg"

	"vllmbench/client"
	"vllmbench/internal/results"
)

const hostile = "</text><script>alert(1)</script>&\x00\x1b[31m\u202e\xff\n\"'"

// texts parses an SVG to its end and returns what is written in it.
func texts(t *testing.T, svg []byte) (found []string) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return found
		}
		require.NoError(t, err)
		switch token := token.(type) {
		case xml.StartElement:
			require.Contains(t, []string{"svg", "g", "path", "text", "rect"}, token.Name.Local)
		case xml.CharData:
			if s := strings.TrimSpace(string(token)); s != "" {
				found = append(found, s)
			}
		}
	}
}

func TestPicturesOfHostileText(t *testing.T) {
	rows := sweep(6, 1)
	rows[0].row.Void = []string{hostile}
	rows[2].row.Name = hostile
	rows[2].requests[1].Outcome, rows[2].requests[1].Error = client.HTTP5xx, hostile
	run := save(t, "run", rows, throttledSamples())
	run.Name = hostile
	var all []string
	for _, f := range figuresOf(t, run) {
		all = append(all, drawn(t, f.Draw)...)
	}
	for _, l := range Timelines([]*results.Run{run}) {
		all = append(all, drawn(t, l.Draw)...)
	}
	whole := strings.Join(all, "\n")
	assert.Contains(t, whole, "<script>alert(", "it is text")
	assert.NotContains(t, whole, "\u202e")
	assert.NotContains(t, whole, "\x1b")
}

// drawn draws both formats and returns the texts of the SVG.
func drawn(t *testing.T, draw func(io.Writer, string) error) []string {
	t.Helper()
	var svg, img bytes.Buffer
	require.NoError(t, draw(&svg, SVG))
	require.NoError(t, draw(&img, PNG))
	picture, err := png.Decode(&img)
	require.NoError(t, err)
	require.Equal(t, 1000, picture.Bounds().Dx())
	require.Equal(t, 620, picture.Bounds().Dy())
	return texts(t, svg.Bytes())
}

func TestDrawRefuses(t *testing.T) {
	f := figuresOf(t, save(t, "a", sweep(6, 1), nil))["throughput"]
	require.EqualError(t, f.Draw(io.Discard, "gif"), `no picture format "gif": the formats are svg and png`)
	require.EqualError(t, Timeline{Name: "a"}.Draw(io.Discard, SVG), "the timeline of a has no row to draw")
	broken := errors.New("disk full")
	require.ErrorIs(t, f.Draw(failing{broken}, SVG), broken)
	require.ErrorIs(t, f.Draw(iotest.TruncateWriter(failing{broken}, 10), PNG), broken)
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestOddFigures draws what no axis is made for.
func TestOddFigures(t *testing.T) {
	rows := sweep(1, 1)[:1]
	rows[0].row.Values = values("tok/s", 0, "p50-itl-ns", 0, "p50-ttft-ns", 0, "J/tok", 0)
	rows[0].row.Batch = 0
	for _, f := range figuresOf(t, save(t, "zero", rows, []results.GPUSample{{At: time.Second, GPUs: []results.GPUReading{{Busy: new(0.5)}}}})) {
		drawn(t, f.Draw)
	}
}

func TestNamesAndLevelsAreWritten(t *testing.T) {
	runs := []*results.Run{save(t, "baseline", sweep(6, 1), nil), save(t, "week3", sweep(6, 1.5), nil)}
	by := figuresOf(t, runs...)
	for id, want := range map[string][]string{
		"throughput":                  {"At what batch does throughput stop to scale?", "(higher is better)", "batch (requests in flight)", "1", "2", "4", "baseline", "week3", "perfect scaling", "most by roofline"},
		"ttft-prompt":                 {"(lower is better)", "10", "100", "baseline: 20.0 µs a token", "week3, server's own"},
		"e2e-output":                  {"20", "40", "baseline, prompt 10: 5.00 ms a token", "week3, prompt 100"},
		"tradeoff":                    {"batch 4", "baseline", "week3"},
		"ecdf-itl-throughput-batch-4": {"Throughput/batch=4  (lower is better)", "baseline, 456 gaps"},
	} {
		got := drawn(t, by[id].Draw)
		for _, text := range want {
			assert.Contains(t, got, text, id)
		}
	}
}

func TestApart(t *testing.T) {
	for _, ends := range [][]vg.Length{{}, {50}, {99, 98, 97}, {1, 1, 1, 1}, {90, 50, 50, 49, 10}, {100, 100, 0, 0}, {250, -30}} {
		t.Run(fmt.Sprint(ends), func(t *testing.T) {
			all := make([]ending, len(ends))
			for i, y := range ends {
				all[i].y = y
			}
			apart(all, 10, 0, 100)
			for i := range all {
				assert.GreaterOrEqual(t, all[i].y, vg.Length(-1e-9))
				assert.LessOrEqual(t, all[i].y, vg.Length(100+1e-9))
				if i > 0 {
					assert.GreaterOrEqual(t, all[i-1].y-all[i].y, vg.Length(10-1e-9))
				}
			}
		})
	}
	one := []ending{{y: 90}, {y: 50}, {y: 20}}
	apart(one, 10, 0, 100)
	assert.Equal(t, []ending{{y: 90}, {y: 50}, {y: 20}}, one, "labels with room stay where they are")
}

func TestTicksThatHaveRoom(t *testing.T) {
	labels := func(a Axis, length vg.Length) (out []string) {
		for _, tick := range ticks(a, func(string) vg.Length { return 20 }, length) {
			out = append(out, tick.Label)
		}
		return out
	}
	a := levelAxis("batch", []float64{1, 2, 4, 8, 16, 32, 64})
	assert.Equal(t, []string{"1", "2", "4", "8", "16", "32", "64"}, labels(a, 1000))
	crowded := labels(a, 80)
	assert.Len(t, crowded, 7, "every tick stays")
	assert.Equal(t, "1", crowded[0])
	assert.Equal(t, "64", crowded[6], "the outermost have the right of way")
	assert.Contains(t, crowded[1:6], "")
}
