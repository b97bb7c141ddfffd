package main

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"vllmbench/internal/figure"
	"vllmbench/internal/fleet"
)

// drawFleet draws, for each number of replicas, p99 TTFT and goodput over load.
func drawFleet(folder string, points []fleet.Point, slo string, w io.Writer) error {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return fmt.Errorf("no folder for the pictures: %w", err)
	}
	bySize := map[int][]fleet.Point{}
	var sizes []int
	for _, p := range points {
		if bySize[p.Replicas] == nil {
			sizes = append(sizes, p.Replicas)
		}
		bySize[p.Replicas] = append(bySize[p.Replicas], p)
	}
	for _, n := range sizes {
		for _, f := range fleetFigures(n, bySize[n], slo) {
			if err := drawPicture(folder, f, w); err != nil {
				return err
			}
		}
	}
	return nil
}

func fleetFigures(n int, points []fleet.Point, slo string) []figure.Figure {
	of := "1 replica"
	if n > 1 {
		of = fmt.Sprintf("%d replicas", n)
	}
	x := figure.Axis{Label: "load (arrivals as a share of what so many replicas serve, each alone)", Scale: figure.Linear, Min: 1, Max: 0}
	for _, p := range points {
		if !slices.Contains(x.Ticks, p.Load) {
			x.Ticks = append(x.Ticks, p.Load)
		}
		x.Min, x.Max = min(x.Min, p.Load-0.02), max(x.Max, p.Load+0.02)
	}
	slices.Sort(x.Ticks)
	ttft := figure.Figure{ID: fmt.Sprintf("scale-ttft-%d", n), Title: of + ": when does the first token come late?", Better: "lower", X: x}
	ttft.Lines, ttft.Notes = fleetLines(points, func(p fleet.Point) float64 { return p.TTFT.P99.Seconds() })
	ttft.Y = latencyAxis("p99 TTFT (s)", ttft.Lines)
	goodput := figure.Figure{ID: fmt.Sprintf("scale-goodput-%d", n), Title: of + ": how many requests are served well?", Better: "higher", X: x}
	goodput.Lines, goodput.Notes = fleetLines(points, func(p fleet.Point) float64 { return p.Goodput / float64(n) })
	goodput.Lines = append(goodput.Lines, offered(points))
	goodput.Notes = append(goodput.Notes, "served well: "+slo)
	goodput.Y = countAxis("goodput of a replica (req/s)", goodput.Lines)
	return []figure.Figure{ttft, goodput}
}

// fleetLines are a line for each router, of the points at which no queue grows,
// and notes that say so.
func fleetLines(points []fleet.Point, value func(fleet.Point) float64) (lines []figure.Line, notes []string) {
	for _, p := range points {
		name := p.Router.String()
		i := slices.IndexFunc(lines, func(l figure.Line) bool { return l.Label == name })
		if i < 0 {
			i = len(lines)
			lines = append(lines, figure.Line{Run: i, Role: figure.Data, Label: name})
		}
		if !p.Grows() {
			lines[i].Points = append(lines[i].Points, figure.Point{X: p.Load, Y: value(p)})
		}
	}
	notes = []string{"simulated by the embedded server's scheduler; a line ends where the queue grows, or with the sweep"}
	for _, l := range lines {
		if len(l.Points) == 0 {
			notes = append(notes, l.Label+": the queue grows at every load")
		}
	}
	return slices.DeleteFunc(lines, func(l figure.Line) bool { return len(l.Points) == 0 }), notes
}

// offered is the goodput of a fleet that serves all arrivals well.
func offered(points []fleet.Point) figure.Line {
	l := figure.Line{Run: -1, Role: figure.Ideal, Label: "all arrivals"}
	for _, p := range points {
		if p.Router == points[0].Router {
			l.Points = append(l.Points, figure.Point{X: p.Load, Y: p.Offered / float64(p.Replicas)})
		}
	}
	return l
}

// extent is the smallest and the largest y of all points; both 1 of none.
func extent(lines []figure.Line) (least, most float64) {
	least, most = math.Inf(1), 0
	for _, l := range lines {
		for _, p := range l.Points {
			least, most = min(least, p.Y), max(most, p.Y)
		}
	}
	if most == 0 {
		return 1, 1
	}
	return least, most
}

// countAxis is a linear axis, with up to ten round ticks.
func countAxis(label string, lines []figure.Line) figure.Axis {
	_, most := extent(lines)
	a := figure.Axis{Label: label, Scale: figure.Linear, Max: most * 1.05}
	step := math.Pow(10, math.Floor(math.Log10(most)))
	if most/step < 4 {
		step /= 2
	}
	for k := range 11 {
		if t := float64(k) * step; t <= a.Max {
			a.Ticks = append(a.Ticks, t)
		}
	}
	return a
}

// latencyAxis is a logarithmic axis with ticks at 1, 2 and 5.
func latencyAxis(label string, lines []figure.Line) figure.Axis {
	least, most := extent(lines)
	a := figure.Axis{Label: label, Scale: figure.Log10, Min: least * 0.85, Max: most * 1.15}
	for e := -6; e < 7; e++ {
		for _, m := range []float64{1, 2, 5} {
			t, _ := strconv.ParseFloat(fmt.Sprintf("%ge%d", m, e), 64) // the nearest float64, as 10^e is not
			if t >= a.Min && t <= a.Max {
				a.Ticks = append(a.Ticks, t)
			}
		}
	}
	return a
}

func drawPicture(folder string, f figure.Figure, w io.Writer) error {
	var picture bytes.Buffer
	if err := f.Draw(&picture, figure.PNG); err != nil {
		return err
	}
	path := filepath.Join(folder, f.ID+".png")
	if err := os.WriteFile(path+".new", picture.Bytes(), 0o666); err != nil {
		return fmt.Errorf("the picture cannot be written: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("the picture cannot be put in its place: %w", err)
	}
	fmt.Fprintln(w, path)
	return nil
}
