package figure

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A space knows which places of a picture are taken.
type space struct {
	area  vg.Rectangle
	taken []vg.Rectangle
	lines [][]vg.Point
}

// take takes a place if it is free, and says whether it was.
func (s *space) take(r vg.Rectangle) bool {
	for _, t := range s.taken {
		if r.Min.X < t.Max.X && t.Min.X < r.Max.X && r.Min.Y < t.Max.Y && t.Min.Y < r.Max.Y {
			return false
		}
	}
	s.taken = append(s.taken, r)
	return true
}

// crossed says whether a line runs through a place.
func (s *space) crossed(r vg.Rectangle) bool {
	part := draw.Canvas{Rectangle: r}
	return len(part.ClipLinesXY(s.lines...)) > 0
}

func (s *space) holds(r vg.Rectangle) bool {
	return r.Min.X >= s.area.Min.X && r.Max.X <= s.area.Max.X && r.Min.Y >= s.area.Min.Y && r.Max.Y <= s.area.Max.Y
}

// sides are where a label may stand beside its point, in the order of preference.
var sides = []vg.Point{{X: 0, Y: 1}, {X: 0, Y: -1}, {X: 1, Y: 0}, {X: -1, Y: 0}, {X: 1, Y: -1}, {X: -1, Y: 1}, {X: 1, Y: 1}, {X: -1, Y: -1}}

// withLabels are the lines whose points have labels: of many, the first.
func withLabels(lines []Line) []Line {
	found := slices.DeleteFunc(slices.Clone(lines), func(l Line) bool {
		return !slices.ContainsFunc(l.Points, func(p Point) bool { return p.Label != "" })
	})
	return found[:min(len(found), fewRuns)]
}

// A pointLabel is written beside a point.
type pointLabel struct {
	at   vg.Point
	text string
}

// pointLabels writes the labels of points where there is room beside them,
// off all lines if that is possible. One that finds no room is left out: the
// levels beside it tell which it is.
func pointLabels(c draw.Canvas, l Line, x, y func(float64) vg.Length, free *space) {
	style := letters(labelSize*0.9, ink(l.Run))
	for _, p := range labelled(l, x, y) {
		if s, at, ok := free.beside(style, p.text, p.at); ok {
			c.FillText(s, at, p.text)
		}
	}
}

// labelled are the labels of a line's points. Neighbours that lie on one
// another have one: "batch 8, 16, 32".
func labelled(l Line, x, y func(float64) vg.Length) (all []pointLabel) {
	for _, p := range l.Points {
		if p.Label == "" || p.Void != "" {
			continue
		}
		at, text := vg.Point{X: x(p.X), Y: y(p.Y)}, clean(p.Label, 40)
		if n := len(all) - 1; l.Role == Data && n >= 0 && max(at.X-all[n].at.X, all[n].at.X-at.X, at.Y-all[n].at.Y, all[n].at.Y-at.Y) < 2*radius {
			all[n].text += ", " + text[strings.LastIndex(text, " ")+1:]
			continue
		}
		all = append(all, pointLabel{at, text})
	}
	return all
}

// beside finds and takes a place for a label near a point: how it is aligned, and where.
func (s *space) beside(style text.Style, label string, point vg.Point) (text.Style, vg.Point, bool) {
	for _, avoid := range []bool{true, false} {
		for _, distance := range []vg.Length{9 * px, 20 * px, 34 * px} {
			for _, side := range sides {
				style.XAlign = []text.XAlignment{draw.XRight, draw.XCenter, draw.XLeft}[int(side.X)+1]
				style.YAlign = []text.YAlignment{draw.YTop, draw.YCenter, draw.YBottom}[int(side.Y)+1]
				at := vg.Point{X: point.X + side.X*distance, Y: point.Y + side.Y*distance}
				r := style.Rectangle(label).Add(at)
				if s.holds(r) && !(avoid && s.crossed(r)) && s.take(r) {
					return style, at, true
				}
			}
		}
	}
	return style, point, false
}

// bandsOf draws bands over the whole height: windows light, void ones hatched,
// idle gaps and throttling as strips at the foot and at the top.
func bandsOf(c draw.Canvas, bands []Band, x func(float64) vg.Length) {
	for _, b := range bands {
		r := vg.Rectangle{Min: vg.Point{X: max(x(b.From), c.Min.X), Y: c.Min.Y}, Max: vg.Point{X: min(max(x(b.To), x(b.From)+px), c.Max.X), Y: c.Max.Y}}
		if r.Max.X <= r.Min.X {
			continue
		}
		fill := color.Color(color.RGBA{236, 242, 248, 255})
		switch b.Kind {
		case Void:
			fill = grey(240)
		case Idle:
			r.Max.Y, fill = r.Min.Y+9*px, grey(60)
		case Throttled:
			r.Min.Y, fill = r.Max.Y-9*px, color.RGBA{213, 94, 0, 255}
		}
		c.SetColor(fill)
		c.Fill(r.Path())
		if b.Kind == Void {
			hatch(c, r)
		}
		bandLabel(c, b, r)
	}
}

// key says what the bands are, of the kinds that there are.
func key(bands []Band) []string {
	var said []string
	for _, k := range []struct{ kind, is string }{
		{Window, "pale: windows of rows"}, {Void, "hatched: of void rows"}, {Idle, "dark, at the foot: idle gaps"}, {Throttled, "orange, at the top: throttled (" + causes(bands) + ")"},
	} {
		if slices.ContainsFunc(bands, func(b Band) bool { return b.Kind == k.kind }) {
			said = append(said, k.is)
		}
	}
	if said == nil {
		return nil
	}
	return []string{strings.Join(said, "; ")}
}

// causes are why GPUs were throttled.
func causes(bands []Band) string {
	var labels []string
	for _, b := range bands {
		if b.Kind == Throttled {
			labels = append(labels, b.Label)
		}
	}
	return reasons(labels)
}

func hatch(c draw.Canvas, r vg.Rectangle) {
	part := draw.Canvas{Canvas: c.Canvas, Rectangle: r}
	style := draw.LineStyle{Color: grey(190), Width: 0.8 * px}
	h := r.Size().Y
	for at := r.Min.X - h; at < r.Max.X; at += 8 * px {
		c.StrokeLines(style, part.ClipLinesXY([]vg.Point{{X: at, Y: r.Min.Y}, {X: at + h, Y: r.Max.Y}})...)
	}
}

// bandLabel writes the label of a window upright in it, if it is wide enough.
func bandLabel(c draw.Canvas, b Band, r vg.Rectangle) {
	if b.Kind != Window && b.Kind != Void || r.Size().X < noteSize*1.2 {
		return
	}
	style := letters(noteSize, grey(120))
	style.Rotation = math.Pi / 2
	style.YAlign = draw.YCenter
	c.FillText(style, vg.Point{X: (r.Min.X + r.Max.X) / 2, Y: r.Min.Y + 14*px}, fit(style, b.Label, r.Size().Y-20*px))
}

// marksOf draws the marks' intervals and lines.
func marksOf(c draw.Canvas, marks []Mark, x func(float64) vg.Length) {
	for _, m := range marks {
		if m.Low != nil && m.High != nil {
			left, right := max(x(*m.Low), c.Min.X), min(x(*m.High), c.Max.X)
			c.FillPolygon(grey(228), []vg.Point{{X: left, Y: c.Min.Y}, {X: right, Y: c.Min.Y}, {X: right, Y: c.Max.Y}, {X: left, Y: c.Max.Y}})
		}
		c.StrokeLine2(draw.LineStyle{Color: colour(m.Run), Width: 1.4 * px, Dashes: dashes(m.Run)}, x(m.X), c.Min.Y, x(m.X), c.Max.Y)
	}
}

// markLabels writes the marks' labels beside their lines, from the foot upwards.
func markLabels(c draw.Canvas, marks []Mark, x func(float64) vg.Length, free *space) {
	for i, m := range marks[:min(len(marks), fewRuns)] {
		style := letters(labelSize*0.9, ink(m.Run))
		label := clean(m.Label, 80)
		if more := len(marks) - fewRuns; more > 0 && i == fewRuns-1 {
			label += fmt.Sprintf(" (and %d more)", more)
		}
		left, right := x(m.X), x(m.X)
		if m.Low != nil && m.High != nil {
			left, right = x(*m.Low), x(*m.High)
		}
		at := vg.Point{X: right + 6*px, Y: c.Min.Y + 8*px + vg.Length(i)*labelSize*1.2}
		if at.X+style.Width(label) > c.Max.X {
			style.XAlign, at.X = draw.XRight, left-6*px
		}
		for !free.take(style.Rectangle(label).Add(at)) && at.Y < c.Max.Y {
			at.Y += labelSize * 1.2
		}
		c.FillText(style, at, label)
	}
}
