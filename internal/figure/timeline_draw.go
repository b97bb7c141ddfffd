package figure

import (
	"cmp"
	"fmt"
	"image/color"
	"io"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// ID is the name of the timeline's picture.
func (t Timeline) ID() string { return fmt.Sprintf("requests-%d", t.Run+1) }

// Draw writes a picture of one row of the timeline: its first one of the largest batch, or of the highest rate.
func (t Timeline) Draw(w io.Writer, format string) error {
	if len(t.Rows) == 0 {
		return fmt.Errorf("the timeline of %s has no row to draw", t.Name)
	}
	row := slices.MaxFunc(t.Rows, func(a, b TimelineRow) int {
		return cmp.Or(cmp.Compare(a.Batch, b.Batch), cmp.Compare(a.Rate, b.Rate))
	})
	return row.draw(w, format, t.Name)
}

func (r TimelineRow) draw(w io.Writer, format, name string) error {
	lo, hi := r.From, r.To
	for _, b := range r.Bars {
		lo, hi = min(lo, b.Sent), max(hi, b.End)
	}
	n := float64(max(len(r.Bars), 1))
	margin := 0.01 * max(hi-lo, 1e-3)
	f := frame{
		title: "When did each request wait, and when did it get tokens?",
		below: fmt.Sprintf("%s, %s, repetition %d: one line a request", name, r.Cell, r.Repetition),
		x:     Axis{Label: "time (s since the run's epoch)", Scale: Linear, Ticks: linearTicks(lo, hi), Min: lo - margin, Max: hi + margin},
		y:     Axis{Label: "requests by their start", Scale: Linear, Ticks: wholeTicks(n), Min: 0.5, Max: n + 0.5},
		down:  true,
		notes: r.notes(),
	}
	window := Band{From: r.From, To: r.To, Kind: Window}
	if r.Void != "" {
		window.Kind = Void
	}
	f.under = func(c draw.Canvas, x, y func(float64) vg.Length) { bandsOf(c, []Band{window}, x) }
	return picture(w, format, f, func(c draw.Canvas, x, y func(float64) vg.Length) {
		thick := min(max(0.75*c.Size().Y/vg.Length(n), 0.6*px), 14*px)
		for i, b := range r.Bars {
			b.draw(c, x, y(float64(i+1)), thick)
		}
	})
}

// wholeTicks are ticks of a count from 1.
func wholeTicks(n float64) []float64 {
	ticks := []float64{1}
	for _, t := range linearTicks(1, max(n, 2)) {
		if t == float64(int(t)) && t > 1 && t <= n {
			ticks = append(ticks, t)
		}
	}
	return ticks
}

// Colours of a bar: differ in lightness as well.
var (
	waitColour   = color.RGBA{230, 159, 0, 255}
	decodeColour = color.RGBA{0, 114, 178, 255}
	stallColour  = color.RGBA{20, 20, 20, 255}
	failColour   = color.RGBA{200, 0, 0, 255}
)

func (b Bar) draw(c draw.Canvas, x func(float64) vg.Length, y, thick vg.Length) {
	part := func(from, to float64, colour color.Color) {
		c.StrokeLine2(draw.LineStyle{Color: colour, Width: thick}, x(from), y, max(x(to), x(from)+0.5*px), y)
	}
	if b.First == 0 {
		part(b.Sent, b.End, waitColour)
	} else {
		part(b.Sent, b.First, waitColour)
		part(b.First, b.End, decodeColour)
	}
	for _, s := range b.Stalls {
		part(s[0], s[1], stallColour)
	}
	if b.Failed != "" {
		at := vg.Point{X: x(b.End), Y: y}
		c.StrokeLines(draw.LineStyle{Color: failColour, Width: 2.4 * px}, rod(at, math.Pi/4), rod(at, -math.Pi/4))
	}
}

// notes say what the colours are, and why requests failed.
func (r TimelineRow) notes() []string {
	stalls := 0
	for _, b := range r.Bars {
		stalls += len(b.Stalls)
	}
	notes := []string{fmt.Sprintf("light: until the first token (queue and prefill); dark: decode; black: gaps between tokens of %s or more (%s of them); behind: the window",
		duration(r.Threshold*1e9), count(stalls))}
	if r.Void != "" {
		notes = append(notes, "the row is void: "+r.Void)
	}
	if r.Failed == 0 {
		return notes
	}
	reasons := map[string]int{}
	var order []string
	for _, b := range r.Bars {
		if b.Failed != "" {
			if reasons[b.Failed]++; reasons[b.Failed] == 1 {
				order = append(order, b.Failed)
			}
		}
	}
	for _, reason := range order {
		notes = append(notes, fmt.Sprintf("x: %d failed, %s", reasons[reason], reason))
	}
	if more := r.Failed - mostFailed; more > 0 {
		notes = append(notes, fmt.Sprintf("%s more failed requests are not drawn", count(more)))
	}
	return notes
}
