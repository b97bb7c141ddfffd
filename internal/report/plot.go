package report

import (
	"bytes"
	"fmt"
	"html/template"
	"strings"

	"vllmbench/internal/figure"
)

// A plot is a place in the page: one figure, or a group of which a reader chooses.
type plot struct {
	ID      string // of the figure that is shown first
	Title   string
	Better  string
	Label   string // for those who do not see it
	Choices []choice
	Notes   []string
	Picture template.HTML
	group   string
	timed   bool
}

// A choice is one figure of a group.
type choice struct{ ID, Name string }

// plots are the places for all figures, requests over time before the GPU.
func (r *Report) plots() (out []*plot) {
	groups := map[string]*plot{}
	for _, f := range r.figures {
		p := groups[f.Group]
		if f.Group == "" || p == nil {
			p = &plot{ID: f.ID, Title: Clean(f.Title), Better: f.Better, Notes: f.Notes, group: f.Group, timed: overTime(f)}
			out = append(out, p)
			groups[f.Group] = p
		}
		if f.Group == "" {
			continue
		}
		p.Choices = append(p.Choices, choice{f.ID, Clean(f.Choice)})
		// Of cells, the largest batch or the highest rate tells most; it is the last one.
		if strings.HasPrefix(f.Choice, "Throughput/") || strings.HasPrefix(f.Choice, "Arrivals/") && !strings.Contains(p.ID, "-throughput-") {
			p.ID, p.Notes = f.ID, f.Notes
		}
	}
	if len(r.timelines) == 0 {
		return out
	}
	requests := &plot{ID: requestsID(r.timelines[0]), Title: "What happened to each request?", timed: true}
	for _, t := range r.timelines {
		requests.Choices = append(requests.Choices, choice{requestsID(t), Clean(t.Name)})
	}
	requests.Notes = timelineNotes(r.timelines[0])
	return append([]*plot{requests}, out...)
}

// requestsID is how the page's script finds a timeline; figure has the same for its picture.
func requestsID(t figure.Timeline) string { return t.ID() }

// timelineNotes say what is not in a timeline.
func timelineNotes(t figure.Timeline) []string {
	if t.Left == 0 {
		return t.Notes
	}
	return append([]string{fmt.Sprintf("rows that are not drawn, for want of room: %s, the last repetitions", count(t.Left))}, t.Notes...)
}

// noTimeline says which runs have no requests or no samples of a GPU to draw, and why.
func (r *Report) noTimeline() (out []string) {
	for i, run := range r.runs {
		drawn := false
		for _, t := range r.timelines {
			drawn = drawn || t.Run == i
		}
		switch {
		case run.Text:
			out = append(out, fmt.Sprintf("%s: a text of go test keeps neither requests nor GPU samples; record with -record and name the folder", run.Name))
			continue
		case !drawn:
			out = append(out, fmt.Sprintf("%s: the folder holds no requests", run.Name))
		}
		switch {
		case len(run.GPU) > 0:
		case len(run.Header.Devices) > 0:
			out = append(out, fmt.Sprintf("%s: its GPUs are known, but no sample of them was saved", run.Name))
		case hasGPU(r.doc.Tables, i):
			out = append(out, fmt.Sprintf("%s: rows have GPU metrics, but the run was recorded before samples were kept: record it again to see the GPU over time", run.Name))
		default:
			out = append(out, fmt.Sprintf("%s: no GPU was watched", run.Name))
		}
	}
	return out
}

// hasGPU says whether a run has any value in the table of GPU metrics.
func hasGPU(tables []table, run int) bool {
	for _, t := range tables {
		for _, row := range t.Rows {
			if t.ID != "gpu" || row.Run != run {
				continue
			}
			for _, v := range row.Values {
				if v.Text != "" {
					return true
				}
			}
		}
	}
	return false
}

// inline cuts an SVG down to its element, fit to stand in the page.
func inline(svg []byte) []byte {
	if at := bytes.Index(svg, []byte("<svg")); at > 0 {
		return svg[at:]
	}
	return svg
}
