package figure

import (
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// radius is that of the symbols at points.
const radius = 5.5 * px

// symbol marks a point of a run. The first run's are filled and the others'
// open or strokes, so that equal points of two runs are both seen.
func symbol(c draw.Canvas, run int, at vg.Point) {
	line := draw.LineStyle{Color: colour(run), Width: 1.8 * px}
	switch max(run, 0) % 7 {
	case 0:
		c.DrawGlyphNoClip(draw.GlyphStyle{Color: line.Color, Radius: radius * 0.9, Shape: draw.CircleGlyph{}}, at)
	case 1:
		c.StrokeLines(line, polygon(at, 4, math.Pi/4))
	case 2:
		c.StrokeLines(line, polygon(at, 3, math.Pi/2))
	case 3:
		c.StrokeLines(line, rod(at, math.Pi/4), rod(at, -math.Pi/4))
	case 4:
		c.StrokeLines(line, rod(at, 0), rod(at, math.Pi/2))
	case 5:
		c.StrokeLines(line, polygon(at, 16, 0))
	case 6:
		c.FillPolygon(line.Color, polygon(at, 4, math.Pi/4))
	}
}

// polygon is a closed regular one whose first corner is at an angle.
func polygon(at vg.Point, corners int, angle float64) []vg.Point {
	points := make([]vg.Point, corners+1)
	for i := range points {
		points[i] = around(at, angle+2*math.Pi*float64(i)/float64(corners))
	}
	return points
}

// rod is a line through a point at an angle.
func rod(at vg.Point, angle float64) []vg.Point {
	return []vg.Point{around(at, angle), around(at, angle+math.Pi)}
}

func around(at vg.Point, angle float64) vg.Point {
	return vg.Point{X: at.X + 1.15*radius*vg.Length(math.Cos(angle)), Y: at.Y + 1.15*radius*vg.Length(math.Sin(angle))}
}

// dot marks a single window of a run: small, since they are many.
func dot(c draw.Canvas, run int, at vg.Point) {
	c.DrawGlyphNoClip(draw.GlyphStyle{Color: colour(run), Radius: radius * 0.75, Shape: draw.RingGlyph{}}, at)
}
