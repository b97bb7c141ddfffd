package figure

import (
	"fmt"
	"maps"
	"slices"
)

// A distribution is one of the quantities whose ECDF is drawn.
type distribution struct {
	group, quantity, title, axis, samples string
	of                                    func(*pool) []float64
}

var distributions = []distribution{
	{"ecdf-ttft", "ttft", "How long until the first token?", "TTFT (ms)", "requests", func(p *pool) []float64 { return p.ttft }},
	{"ecdf-itl", "itl", "How even do tokens come?", "inter-token latency (ms), every gap", "gaps", func(p *pool) []float64 { return p.itl }},
}

// ecdfs are the distributions of each cell, in the order in which cells were measured.
func (m *maker) ecdfs() (figures []Figure) {
	all := make([][]*pool, len(m.runs))
	notes := make([][]string, len(m.runs))
	var cells []string
	for i, r := range m.runs {
		all[i], notes[i] = pools(r)
		for _, p := range all[i] {
			if !slices.Contains(cells, p.cell.Name) {
				cells = append(cells, p.cell.Name)
			}
		}
	}
	for _, d := range distributions {
		for _, cell := range cells {
			figures = append(figures, m.ecdf(d, cell, all, notes)...)
		}
	}
	return figures
}

func (m *maker) ecdf(d distribution, cell string, all [][]*pool, notes [][]string) []Figure {
	f := Figure{ID: d.group + "-" + slug(cell), Group: d.group, Choice: cell, Title: d.title, Better: "lower"}
	var shown []float64
	due := false
	for i, name := range m.names {
		for _, note := range notes[i] {
			f.Notes = append(f.Notes, clean(name+": "+note, 300))
		}
		at := slices.IndexFunc(all[i], func(p *pool) bool { return p.cell.Name == cell })
		if at < 0 {
			f.Notes = append(f.Notes, fmt.Sprintf("%s has no requests of it", name))
			continue
		}
		p := all[i][at]
		for _, reason := range slices.Sorted(maps.Keys(p.left)) {
			if len(reason) > len(d.quantity) && reason[:len(d.quantity)] == d.quantity {
				f.Notes = append(f.Notes, clean(fmt.Sprintf("%s: %d rows are not in it: %s", name, p.left[reason], reason), 300))
			}
		}
		samples := d.of(p)
		if len(samples) == 0 {
			continue
		}
		f.Lines = append(f.Lines, Line{Run: i, Role: Step, Label: fmt.Sprintf("%s, %s %s", name, count(len(samples)), d.samples), Points: ecdf(samples, "ms")})
		due = due || p.cell.Open()
		shown = append(shown, samples[0], samples[len(samples)-1])
	}
	if len(f.Lines) == 0 {
		return nil
	}
	f.X = tight(d.axis, shown)
	if due && d.quantity == "ttft" {
		f.X.Label += ", from when it was due"
	}
	f.Y = Axis{Label: "share at or below (%)", Scale: Linear, Ticks: []float64{0, 25, 50, 75, 90, 100}, Min: 0, Max: 108} // room for the labels of what lies at the top
	f.Notes = append([]string{"all valid repetitions together; marked are the quantiles that their number bounds"}, f.Notes...)
	return []Figure{f}
}
