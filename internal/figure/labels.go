package figure

import (
	"cmp"
	"fmt"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

const (
	labelGap = 22 * px // from a line's end to its label
	mostRoom = 0.36    // of the picture's width, for labels
)

// An ending is a label at the end of a line.
type ending struct {
	line Line
	at   vg.Point  // the line's end
	y    vg.Length // of the label's middle
}

// labelRoom is the room that labels at the ends of lines need.
func labelRoom(lines []Line) (room vg.Length) {
	for _, l := range lines {
		room = max(room, letters(endingSize(lines), nil).Width(l.Label))
	}
	return min(room+labelGap+4*px, mostRoom*width)
}

// endingSize is the size of the labels: smaller if they are many.
func endingSize(lines []Line) vg.Length {
	n := 0
	for _, l := range lines {
		if l.Label != "" {
			n++
		}
	}
	return max(leastSize, min(labelSize, 370*px/1.2/vg.Length(max(n, 1))))
}

// endings writes the labels of lines beside their ends: in the order of the
// ends from above, moved apart as far as they need, and joined to them.
func endings(c draw.Canvas, lines []Line, x, y func(float64) vg.Length) {
	size := endingSize(lines)
	step := size * 1.2
	var all []ending
	for _, l := range lines {
		if at, ok := lastSeen(c, l, x, y); ok && l.Label != "" {
			all = append(all, ending{line: l, at: at, y: at.Y})
		}
	}
	slices.SortStableFunc(all, func(a, b ending) int { return cmp.Compare(b.at.Y, a.at.Y) })
	if most := 1 + int(c.Size().Y/step); len(all) > most {
		all = append(all[:most-1], ending{line: Line{Run: -1, Label: fmt.Sprintf("and %d more", len(all)-most+1)}, at: all[most-1].at})
	}
	apart(all, step, c.Min.Y, c.Max.Y)
	for _, e := range all {
		style := letters(size, ink(e.line.Run))
		style.YAlign = draw.YCenter
		from := c.Max.X
		lead := draw.LineStyle{Color: grey(170), Width: 0.8 * px}
		c.StrokeLines(lead, []vg.Point{{X: e.at.X + 6*px, Y: e.at.Y}, {X: from + 4*px, Y: e.at.Y}, {X: from + labelGap - 5*px, Y: e.y}})
		c.FillText(style, vg.Point{X: from + labelGap, Y: e.y}, fit(style, e.line.Label, mostRoom*width-labelGap))
	}
}

// lastSeen is the last point of a line that proves something and lies in the picture.
func lastSeen(c draw.Canvas, l Line, x, y func(float64) vg.Length) (vg.Point, bool) {
	for _, p := range slices.Backward(l.Points) {
		at := vg.Point{X: x(p.X), Y: y(p.Y)}
		if p.Void == "" && at.X <= c.Max.X+px && at.Y <= c.Max.Y+px && at.Y >= c.Min.Y-px {
			return at, true
		}
	}
	return vg.Point{}, false
}

// apart moves labels, which are sorted from above, until they are a step apart
// and within the area, each as near to its line's end as the others let it.
func apart(all []ending, step, bottom, top vg.Length) {
	// Clusters of labels that touch are centred on the mean of their ends.
	type cluster struct {
		from, to int
		middle   vg.Length
	}
	var clusters []cluster
	span := func(k cluster) vg.Length { return step * vg.Length(k.to-k.from-1) / 2 }
	for i := range all {
		clusters = append(clusters, cluster{i, i + 1, min(max(all[i].y, bottom), top)})
		for len(clusters) > 1 {
			a, b := clusters[len(clusters)-2], clusters[len(clusters)-1]
			if a.middle-span(a)-(b.middle+span(b)) >= step {
				break
			}
			na, nb := vg.Length(a.to-a.from), vg.Length(b.to-b.from)
			joined := cluster{a.from, b.to, (a.middle*na + b.middle*nb) / (na + nb)}
			joined.middle = min(max(joined.middle, bottom+span(joined)), top-span(joined))
			clusters = append(clusters[:len(clusters)-2], joined)
		}
	}
	for _, k := range clusters {
		for i := k.from; i < k.to; i++ {
			all[i].y = k.middle + span(k) - step*vg.Length(i-k.from)
		}
	}
}
