package report

import (
	"encoding/json"
	"strconv"

	"vllmbench/internal/figure"
)

// pointBudget is how many points the page holds in all lines together: about
// 25 bytes each, they leave room in 2 MB for the tables and the pictures.
const pointBudget = 36000

// leastPoints is what a line keeps in any case.
const leastPoints = 40

// pageData is all that the page's script draws, and that a reader can copy.
type pageData struct {
	Runs      []string          `json:"runs"`
	Figures   []figureData      `json:"figures"`
	Timelines []figure.Timeline `json:"timelines,omitempty"`
}

// A figureData is a figure.Figure whose lines have columns in place of points.
type figureData struct {
	figure.Figure
	Lines []lineData `json:"lines"`
}

// A lineData is a figure.Line by columns; those that say nothing are left out.
type lineData struct {
	Run   int      `json:"run"`
	Role  string   `json:"role"`
	Label string   `json:"label"`
	X     []short  `json:"x"`
	Y     []short  `json:"y"`
	Low   []*short `json:"low,omitempty"`
	High  []*short `json:"high,omitempty"`
	N     []int    `json:"n,omitempty"`
	Names []string `json:"names,omitempty"` // the points' labels
	Void  []string `json:"void,omitempty"`
}

// A short is a number that is written with five significant digits, which is
// more than a screen can show.
type short float64

func (s short) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(s), 'g', 5, 64), nil
}

// newPageData reduces lines of very many points so that all stay within the budget.
func newPageData(names []string, figures []figure.Figure, timelines []figure.Timeline) pageData {
	d := pageData{Runs: names, Figures: []figureData{}}
	for _, t := range timelines {
		t.Notes = timelineNotes(t)
		d.Timelines = append(d.Timelines, t)
	}
	most := perLine(figures)
	for _, f := range figures {
		fd := figureData{Figure: f, Lines: []lineData{}}
		fd.Figure.Lines = nil
		for _, l := range f.Lines {
			fd.Lines = append(fd.Lines, byColumns(l, thinned(l.Points, most)))
		}
		d.Figures = append(d.Figures, fd)
	}
	return d
}

// perLine is how many points a line may have so that all together keep the budget.
func perLine(figures []figure.Figure) int {
	for most := 1 << 16; most > leastPoints; most -= most / 8 {
		total := 0
		for _, f := range figures {
			for _, l := range f.Lines {
				total += min(len(l.Points), most)
			}
		}
		if total <= pointBudget {
			return most
		}
	}
	return leastPoints
}

// thinned keeps at most n points (n >= 4): the first and last, and of each
// stretch the lowest and the highest, so that no peak and no step gets lost.
func thinned(points []figure.Point, n int) []figure.Point {
	if len(points) <= n {
		return points
	}
	buckets := (n - 2) / 2
	inner := points[1 : len(points)-1]
	out := append(make([]figure.Point, 0, n), points[0])
	for b := range buckets {
		part := inner[b*len(inner)/buckets : (b+1)*len(inner)/buckets]
		low, high := 0, 0
		for i, p := range part {
			if p.Y < part[low].Y {
				low = i
			}
			if p.Y >= part[high].Y {
				high = i
			}
		}
		out = append(out, part[min(low, high)])
		if low != high {
			out = append(out, part[max(low, high)])
		}
	}
	return append(out, points[len(points)-1])
}

func byColumns(l figure.Line, points []figure.Point) lineData {
	d := lineData{Run: l.Run, Role: l.Role, Label: Clean(l.Label), X: []short{}, Y: []short{}}
	var bars, counted, named, void bool
	for _, p := range points {
		d.X, d.Y = append(d.X, short(p.X)), append(d.Y, short(p.Y))
		d.Low, d.High = append(d.Low, (*short)(p.Low)), append(d.High, (*short)(p.High))
		d.N, d.Names, d.Void = append(d.N, p.N), append(d.Names, Clean(p.Label)), append(d.Void, Clean(p.Void))
		bars = bars || p.Low != nil || p.High != nil
		counted, named, void = counted || p.N > 0, named || p.Label != "", void || p.Void != ""
	}
	if !bars {
		d.Low, d.High = nil, nil
	}
	if !counted {
		d.N = nil
	}
	if !named {
		d.Names = nil
	}
	if !void {
		d.Void = nil
	}
	return d
}

// encode makes JSON of the data so that it can stand in a script element: Go's
// encoder writes "<", ">" and "&" as escapes, so that nothing in it ends the element.
func encode(d pageData) ([]byte, error) { return json.Marshal(d) }
