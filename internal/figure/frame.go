package figure

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Formats of pictures.
const (
	SVG = "svg"
	PNG = "png"
)

// A frame is what is around the data of a picture: title, axes, notes.
type frame struct {
	title, below string
	x, y         Axis
	notes        []string
	down         bool      // y grows downwards
	right        vg.Length // room for labels at the ends of lines
	under        layer     // drawn below the grid
}

// A layer draws into the data's area, with the places of x and y in it.
type layer func(c draw.Canvas, x, y func(float64) vg.Length)

// Plot implements plot.Plotter.
func (l layer) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	l(c, x, y)
}

// picture draws a frame and what is in it, and writes the picture.
func picture(w io.Writer, format string, f frame, over layer) error {
	var target interface {
		vg.CanvasSizer
		io.WriterTo
	}
	switch format {
	case SVG:
		target = vgsvg.New(width, height)
	case PNG:
		target = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(96))}
	default:
		return fmt.Errorf("no picture format %q: the formats are svg and png", format)
	}
	f.draw(draw.New(target), over)
	var out bytes.Buffer
	if _, err := target.WriteTo(&out); err != nil {
		return fmt.Errorf("drawing %s: %w", format, err)
	}
	text := out.Bytes()
	if format == SVG {
		// Fonts of the same widths, where the named one is missing.
		text = bytes.ReplaceAll(text, []byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;"))
	}
	_, err := w.Write(text)
	return err
}

func (f frame) draw(c draw.Canvas, over layer) {
	c.SetColor(grey(255))
	c.Fill(c.Rectangle.Path())
	c = draw.Crop(c, 14*px, -14*px, 12*px, -12*px)
	c.Max.Y -= f.head(c)
	c.Min.Y += f.foot(c)
	c.Max.X -= f.right

	p := plot.New()
	p.BackgroundColor = nil
	axis(&p.X, f.x)
	axis(&p.Y, f.y)
	if f.down {
		p.Y.Scale = plot.InvertedScale{Normalizer: p.Y.Scale}
	}
	p.X.Tick.Marker = ticks(f.x, func(t string) vg.Length { return letters(axisSize, nil).Width(t) + 8*px }, c.Size().X*0.88)
	p.Y.Tick.Marker = ticks(f.y, func(string) vg.Length { return axisSize * 1.15 }, c.Size().Y*0.85)
	if f.under != nil {
		p.Add(f.under)
	}
	p.Add(layer(func(c draw.Canvas, x, y func(float64) vg.Length) { grid(c, f, x, y) }), over)
	p.Draw(c)
}

func grid(c draw.Canvas, f frame, x, y func(float64) vg.Length) {
	style := draw.LineStyle{Color: grey(225), Width: 0.8 * px}
	for _, t := range f.x.Ticks {
		c.StrokeLines(style, c.ClipLinesX([]vg.Point{{X: x(t), Y: c.Min.Y}, {X: x(t), Y: c.Max.Y}})...)
	}
	for _, t := range f.y.Ticks {
		c.StrokeLines(style, c.ClipLinesY([]vg.Point{{X: c.Min.X, Y: y(t)}, {X: c.Max.X, Y: y(t)}})...)
	}
}

// head writes the title and returns its height.
func (f frame) head(c draw.Canvas) vg.Length {
	title, below := bold(letters(titleSize, grey(20))), letters(labelSize, grey(90))
	title.YAlign, below.YAlign = draw.YTop, draw.YTop
	c.FillText(title, vg.Point{X: c.Min.X, Y: c.Max.Y}, fit(title, f.title, c.Size().X))
	c.FillText(below, vg.Point{X: c.Min.X, Y: c.Max.Y - titleSize*1.35}, fit(below, f.below, c.Size().X))
	return titleSize*1.35 + labelSize*1.75
}

// mostNotes is how many lines of notes a picture has; the report has all.
const mostNotes = 4

// foot writes the notes and returns their height.
func (f frame) foot(c draw.Canvas) vg.Length {
	style := letters(noteSize, grey(90))
	lines := wrapped(style, f.notes, c.Size().X)
	if len(lines) > mostNotes {
		lines = append(lines[:mostNotes-1], fit(style, lines[mostNotes-1], c.Size().X*0.8)+" (more in the report)")
	}
	step := noteSize * 1.3
	for i, l := range lines {
		c.FillText(style, vg.Point{X: c.Min.X, Y: c.Min.Y + step*vg.Length(len(lines)-1-i) + 3*px}, l)
	}
	return step*vg.Length(len(lines)) + 10*px
}

// wrapped are the notes as lines no wider than w, each note on a line of its own.
func wrapped(style text.Style, notes []string, w vg.Length) (lines []string) {
	for _, note := range notes {
		line := ""
		for word := range strings.FieldsSeq(note) {
			longer := strings.TrimSpace(line + " " + word)
			if line != "" && style.Width(longer) > w {
				lines = append(lines, line)
				longer = word
			}
			line = fit(style, longer, w)
		}
		lines = append(lines, line)
	}
	return lines
}

func axis(a *plot.Axis, from Axis) {
	a.Min, a.Max = from.Min, from.Max
	a.Scale = normalizer(from)
	a.Label.Text = from.Label
	a.Label.TextStyle.Font = letters(axisSize, nil).Font
	a.Label.Padding = 6 * px
	a.LineStyle = draw.LineStyle{Color: grey(90), Width: px}
	a.Tick.LineStyle = a.LineStyle
	a.Tick.Length = 6 * px
	a.Tick.Label.Font = letters(axisSize, nil).Font
	a.Padding = 0
}

// ticks leaves out the labels for which a tick has no room on an axis of that
// length; the tick stays. The outermost ones have the right of way.
func ticks(a Axis, size func(string) vg.Length, length vg.Length) plot.ConstantTicks {
	var out plot.ConstantTicks
	labels := tickLabels(a)
	at := func(v float64) vg.Length { return length * vg.Length(place(a, v)) }
	for i, v := range a.Ticks {
		t := plot.Tick{Value: v, Label: labels[i]}
		half := func(k int) vg.Length { return size(labels[k]) / 2 }
		for k := range out {
			if out[k].Label != "" && at(v)-at(out[k].Value) < half(i)+half(k) {
				t.Label = ""
			}
		}
		last := len(a.Ticks) - 1
		if i > 0 && i < last && at(a.Ticks[last])-at(v) < half(i)+half(last) {
			t.Label = ""
		}
		out = append(out, t)
	}
	return out
}

// place is where on its axis a value is, from 0 to 1.
func place(a Axis, v float64) float64 {
	return normalizer(a).Normalize(a.Min, a.Max, v)
}

func normalizer(a Axis) plot.Normalizer {
	if a.Scale == Linear {
		return plot.LinearScale{}
	}
	return logScale{}
}

// A logScale has what has no logarithm at its lower end, where plot.LogScale panics.
type logScale struct{}

// Normalize implements plot.Normalizer.
func (logScale) Normalize(lo, hi, v float64) float64 {
	if v <= 0 {
		return 0
	}
	return plot.LogScale{}.Normalize(lo, hi, v)
}
