package report

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"vllmbench/internal/figure"
)

// What the page holds of all figures together, so that there is room in 2 MB
// for the tables and the pictures: a point takes about 18 bytes, a band 45.
const (
	pointBudget = 20000
	bandBudget  = 3000
	leastPoints = 32  // that a line keeps in any case
	leastOfTime = 120 // that a line over time keeps
)

// pageData is all that the page's script draws, and that a reader can copy.
type pageData struct {
	Runs      []string          `json:"runs"`
	Figures   []figureData      `json:"figures"`
	Timelines []figure.Timeline `json:"timelines,omitempty"`
	// Bands of figures over time are those of their run, by its name there.
	Bands map[string][]bandData `json:"bands,omitempty"`
}

// A bandData is a figure.Band as a list of from, to, kind and label: there are thousands.
type bandData struct{ figure.Band }

func (b bandData) MarshalJSON() ([]byte, error) {
	milli := func(seconds float64) float64 { return math.Round(seconds*1e3) / 1e3 }
	return json.Marshal([]any{milli(b.From), milli(b.To), b.Kind, Clean(b.Label)})
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
	d := pageData{Runs: names, Figures: []figureData{}, Bands: map[string][]bandData{}}
	for _, t := range timelines {
		t.Notes = timelineNotes(t)
		d.Timelines = append(d.Timelines, t)
	}
	most := perLine(figures)
	for _, f := range figures {
		fd := figureData{Figure: f, Lines: []lineData{}}
		fd.Figure.Lines = nil
		room := most
		if overTime(f) {
			d.Bands[f.Choice] = nil
			for _, b := range mostOf(f.Bands, bandBudget/max(len(names), 1)) {
				d.Bands[f.Choice] = append(d.Bands[f.Choice], bandData{b})
			}
			fd.Bands = nil
			room = max(most, leastOfTime)
		}
		for _, l := range f.Lines {
			fd.Lines = append(fd.Lines, byColumns(l, thinned(l.Points, room)))
		}
		d.Figures = append(d.Figures, fd)
	}
	return d
}

// overTime says whether the figure is one over the time of a run.
func overTime(f figure.Figure) bool { return strings.HasPrefix(f.Group, "gpu-") }

// mostOf keeps n bands: those of rows and throttling before idle ones, of
// which the longest. They stay in their order.
func mostOf(bands []figure.Band, n int) []figure.Band {
	if len(bands) <= n {
		return bands
	}
	weight := func(b figure.Band) float64 {
		if b.Kind == figure.Idle {
			return b.To - b.From
		}
		return math.Inf(1)
	}
	byWeight := slices.Clone(bands)
	slices.SortStableFunc(byWeight, func(a, b figure.Band) int { return cmp.Compare(weight(b), weight(a)) })
	kept := slices.Clone(byWeight[:n])
	slices.SortStableFunc(kept, func(a, b figure.Band) int {
		return cmp.Or(cmp.Compare(kindOrder(a), kindOrder(b)), cmp.Compare(a.From, b.From))
	})
	return kept
}

// kindOrder is the order in which bands are drawn over each other.
func kindOrder(b figure.Band) int {
	return slices.Index([]string{figure.Window, figure.Void, figure.Idle, figure.Throttled}, b.Kind)
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
