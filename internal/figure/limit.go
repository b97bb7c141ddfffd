package figure

import (
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// limitsOf draws the limits over the whole width.
func limitsOf(c draw.Canvas, limits []Limit, y func(float64) vg.Length) {
	for _, l := range limits {
		c.StrokeLine2(draw.LineStyle{Color: grey(70), Width: 1.3 * px, Dashes: []vg.Length{10 * px, 3 * px}}, c.Min.X, y(l.Y), c.Max.X, y(l.Y))
	}
}

// limitLabels writes the limits' labels over their lines, or else below them, as
// far to the left as there is room.
func limitLabels(c draw.Canvas, limits []Limit, y func(float64) vg.Length, free *space) {
	for _, l := range limits {
		label := clean(l.Label, 60)
		for _, side := range []struct {
			align text.YAlignment
			gap   vg.Length
		}{{draw.YBottom, 4 * px}, {draw.YTop, -4 * px}} {
			style := letters(labelSize*0.9, grey(60))
			style.YAlign = side.align
			if at, ok := free.leftmost(style.Rectangle(label), vg.Point{X: c.Min.X + 6*px, Y: y(l.Y) + side.gap}); ok {
				c.FillText(style, at, label)
				break
			}
		}
	}
}

// leftmost finds and takes the first free place from one on to the right.
func (s *space) leftmost(size vg.Rectangle, at vg.Point) (vg.Point, bool) {
	for ; s.holds(size.Add(at)); at.X += 10 * px {
		if r := size.Add(at); !s.crossed(r) && s.take(r) {
			return at, true
		}
	}
	return at, false
}
