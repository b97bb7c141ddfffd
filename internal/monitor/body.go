package monitor

import (
	"fmt"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
)

// body draws what the page has in the given number of lines.
func (p painter) body(room int) []string {
	var server, gpu []quantity
	for q := range quantities {
		switch {
		case !p.s.offered[q] || (p.Page == Overview && columns[q].rank == 0):
		case q.onGPU():
			gpu = append(gpu, q)
		default:
			server = append(server, q)
		}
	}
	switch {
	case p.Page == ServerPage:
		return p.table(server, p.Width, room)
	case p.Page == GPUPage:
		return append(p.table(gpu, p.Width, room), p.gpuDetails()...)
	case p.Page == EventPage:
		return p.events(room)
	case p.Width >= twoColumns && len(server) > 0 && len(gpu) > 0:
		return p.wide(server, gpu, room)
	}
	// The newest event keeps a line of its own.
	lines := p.table(mostWanted(slices.Concat(server, gpu), room-2), p.Width, room-1)
	return append(lines, p.events(room-len(lines))...)
}

// wide draws the server beside the GPU.
func (p painter) wide(server, gpu []quantity, room int) []string {
	const between = 4
	width := (p.Width - between) / 2
	few := max(3, room/5) // lines for events
	left := p.table(mostWanted(server, room-few-1), width, room-few)
	right := p.table(mostWanted(gpu, room-few-1), width, room-few)
	n := max(len(left), len(right))
	left, right = fill(left, n), fill(right, n)
	lines := make([]string, n)
	for i := range lines {
		lines[i] = pad(left[i], width+between) + right[i]
	}
	return append(lines, append([]string{""}, p.events(room-n-1)...)...)
}

// mostWanted keeps at most n, by rank, in the order of columns.
func mostWanted(qs []quantity, n int) []quantity {
	qs = slices.Clone(qs)
	slices.SortFunc(qs, func(a, b quantity) int { return columns[a].rank - columns[b].rank })
	qs = qs[:min(len(qs), max(n, 0))]
	slices.Sort(qs)
	return qs
}

// Widths of a table's columns, with the space after each.
const (
	nameWidth  = 15
	nowWidth   = 7
	unitWidth  = 6
	limitWidth = 8
	tableWidth = 60 // less leaves no room for the lowest and the highest
)

// table draws one quantity a line, or two where there is room for taller histories.
func (p painter) table(qs []quantity, width, room int) []string {
	if len(qs) == 0 || room < 2 {
		return nil
	}
	tall := 1
	if room > 2*len(qs) {
		tall = 2
	}
	limits := width >= tableWidth
	spark := width - nameWidth - nowWidth - unitWidth - 2
	if limits {
		spark -= 2*limitWidth + 1
	}
	spark = max(spark, 0)
	head := pad("", nameWidth) + padLeft("now", nowWidth) + " " + pad("", unitWidth) + " " + padLeft("last "+brief(p.s.span(spark)), spark)
	if limits {
		head += padLeft("min", limitWidth) + padLeft("max", limitWidth)
	}
	lines := []string{p.dim(head)}
	for _, q := range qs {
		lines = append(lines, p.line(q, spark, tall, limits)...)
	}
	return lines[:min(len(lines), room)]
}

// line draws one quantity; its figures stand on the last of its lines.
func (p painter) line(q quantity, spark, tall int, limits bool) []string {
	cells, all := p.s.history(q, spark)
	top := columns[q].full
	if top == 0 {
		top = q.shown(all.max)
	}
	if columns[q].level && all.min == all.max {
		top *= 4 // a low line: a full one would draw the eye to what never changes
	}
	drawn := sparkline(cells, q, top, spark, tall)
	name := pad(columns[q].name, nameWidth)
	lines := make([]string, tall)
	for i := range lines {
		lines[i] = pad("", nameWidth+nowWidth+1+unitWidth+1) + p.of(q, drawn[i])
	}
	lowest, highest := nothing, nothing
	if all.known() {
		lowest, highest = q.text(all.min), q.text(all.max)
	}
	now := q.value(p.s.newest().cells[q])
	last := name + p.bold(padLeft(now, nowWidth)) + " " + p.dim(pad(columns[q].unit, unitWidth)) + " " + p.of(q, drawn[tall-1])
	if limits {
		last += padLeft(lowest, limitWidth) + padLeft(highest, limitWidth)
	}
	lines[tall-1] = last
	return lines
}

// events lists the newest, newest last.
func (p painter) events(room int) []string {
	if room <= 0 {
		return nil
	}
	var lines []string
	for _, e := range p.s.events[max(0, len(p.s.events)-room):] {
		text := e.String()
		switch {
		case e.kind == kindFault:
			text = p.fault(text)
		case e.kind == kindGap && strings.Contains(text, "running"), e.kind == kindEngine:
			text = p.warn(text)
		case e.kind == kindGap:
			text = p.dim(text)
		}
		if p.Page == EventPage && p.Width > 0 { // here is room for all of its words
			lines = append(lines, strings.Split(lipgloss.NewStyle().Width(p.Width).Render(text), "\n")...)
			continue
		}
		lines = append(lines, text)
	}
	lines = lines[max(0, len(lines)-room):]
	if len(lines) == 0 && p.Page == EventPage {
		lines = append(lines, p.dim("nothing has happened yet: idle gaps, throttling, preemptions and outages appear here"))
	}
	return lines
}

// gpuDetails tells of each GPU if there are several, and how long it was idle and throttled.
func (p painter) gpuDetails() []string {
	lines := []string{""}
	if u := p.s.gpu.usage; u != nil && len(u.GPUs) > 1 {
		for i, f := range u.GPUs {
			lines = append(lines, p.gpu(oneGPU(p.s.GPUs[i].Index, f)))
		}
	}
	if n, total, longest := p.s.gpu.idle(); n > 0 {
		lines = append(lines, fmt.Sprintf("idle gaps     %d, %s in all, longest %s%s", n, brief(total), brief(longest), p.s.gpu.idleAtWork()))
	}
	return lines
}
