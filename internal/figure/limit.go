package figure

import (
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// limitsOf draws the limits over the whole width.
func limitsOf(c draw.Canvas, limits []Limit, y func(float64) vg.Length) {
	for _, l := range limits {
		c.StrokeLine2(draw.LineStyle{Color: grey(70), Width: 1.3 * px, Dashes: []vg.Length{10 * px, 3 * px}}, c.Min.X, y(l.Y), c.Max.X, y(l.Y))
	}
}

// limitLabels writes the limits' labels over their lines, as far to the left as there is room.
func limitLabels(c draw.Canvas, limits []Limit, y func(float64) vg.Length, free *space) {
	style := letters(labelSize*0.9, grey(60))
	for _, l := range limits {
		label := clean(l.Label, 60)
		at := vg.Point{X: c.Min.X + 6*px, Y: y(l.Y) + 4*px}
		for at.X < c.Max.X {
			r := style.Rectangle(label).Add(at)
			if !free.holds(r) {
				break
			}
			if !free.crossed(r) && free.take(r) {
				c.FillText(style, at, label)
				break
			}
			at.X += 10 * px
		}
	}
}
