package figure

import (
	"io"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Draw writes the figure as a picture of 1000 x 620 pixels in a format, SVG
// or PNG. Text that came from a server or a folder's name is written as text,
// whatever it holds.
func (f Figure) Draw(w io.Writer, format string) error {
	below := ""
	if f.Better != "" {
		below = "(" + f.Better + " is better)"
	}
	if f.Choice != "" {
		below = clean(f.Choice, 60) + "  " + below
	}
	frame := frame{title: f.Title, below: below, x: f.X, y: f.Y, notes: append(key(f.Bands), f.Notes...), right: labelRoom(f.Lines)}
	frame.under = func(c draw.Canvas, x, y func(float64) vg.Length) {
		bandsOf(c, f.Bands, x)
		marksOf(c, f.Marks, x)
		limitsOf(c, f.Limits, y)
	}
	return picture(w, format, frame, func(c draw.Canvas, x, y func(float64) vg.Length) {
		free := &space{area: c.Rectangle}
		for _, l := range f.Lines {
			free.lines = append(free.lines, path(c, l, x, y)...)
		}
		for _, l := range f.Lines {
			pointsOf(c, l, x, y, free)
		}
		for _, l := range f.Lines {
			if at, ok := lastSeen(c, l, x, y); ok && l.Label != "" { // from there leads a line to its label
				free.lines = append(free.lines, []vg.Point{at, {X: c.Max.X, Y: at.Y}})
			}
		}
		for _, l := range withLabels(f.Lines) {
			pointLabels(c, l, x, y, free)
		}
		endings(c, f.Lines, x, y)
		limitLabels(c, f.Limits, y, free)
		markLabels(c, f.Marks, x, free)
	})
}

// path draws a line through its points that prove something, and returns what is seen of it.
func path(c draw.Canvas, l Line, x, y func(float64) vg.Length) [][]vg.Point {
	var points []vg.Point
	for _, p := range l.Points {
		if p.Void != "" {
			continue
		}
		at := vg.Point{X: x(p.X), Y: y(p.Y)}
		if n := len(points); l.Role == Step && n > 0 {
			points = append(points, vg.Point{X: at.X, Y: points[n-1].Y})
		}
		points = append(points, at)
	}
	if l.Role == Probe {
		return nil
	}
	seen := c.ClipLinesXY(points)
	c.StrokeLines(stroke(l), seen...)
	return seen
}

// pointsOf draws the symbols and error bars of a line, and crosses for what is void.
func pointsOf(c draw.Canvas, l Line, x, y func(float64) vg.Length, free *space) {
	for _, p := range l.Points {
		if p.Void != "" {
			voidPoint(c, x(p.X), free)
			continue
		}
		at := vg.Point{X: x(p.X), Y: y(p.Y)}
		if l.Role == Probe {
			dot(c, l.Run, at)
			continue
		}
		if l.Role != Data && p.Label == "" {
			continue
		}
		if p.Low != nil && p.High != nil {
			bar(c, l.Run, at.X, y(*p.Low), y(*p.High))
			free.lines = append(free.lines, []vg.Point{{X: at.X, Y: y(*p.Low)}, {X: at.X, Y: y(*p.High)}})
		}
		symbol(c, l.Run, at)
		free.take(vg.Rectangle{Min: vg.Point{X: at.X - radius, Y: at.Y - radius}, Max: vg.Point{X: at.X + radius, Y: at.Y + radius}})
	}
}

// bar draws an error bar with caps.
func bar(c draw.Canvas, run int, x, low, high vg.Length) {
	style := draw.LineStyle{Color: colour(run), Width: 1.4 * px}
	const cap = 4 * px
	c.StrokeLines(style, []vg.Point{{X: x, Y: low}, {X: x, Y: high}},
		[]vg.Point{{X: x - cap, Y: low}, {X: x + cap, Y: low}}, []vg.Point{{X: x - cap, Y: high}, {X: x + cap, Y: high}})
}

// voidPoint marks a level that proves nothing at the foot of the picture: it has no place on y.
func voidPoint(c draw.Canvas, x vg.Length, free *space) {
	at := vg.Point{X: x, Y: c.Min.Y + 10*px}
	c.DrawGlyphNoClip(draw.GlyphStyle{Color: grey(130), Radius: 6 * px, Shape: draw.CrossGlyph{}}, at)
	style := letters(noteSize, grey(110))
	style.XAlign, style.YAlign = draw.XCenter, draw.YBottom
	where := vg.Point{X: x, Y: at.Y + 8*px}
	if free.take(style.Rectangle("void").Add(where)) {
		c.FillText(style, where, "void")
	}
}
