package monitor

import (
	"fmt"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
)

// A Page is what the screen below the four large numbers shows.
type Page int

// The pages.
const (
	Overview Page = iota
	ServerPage
	GPUPage
	EventPage
	pages // their number
)

var pageNames = [pages]string{"overview", "server", "GPU", "events"}

// A View says how the state is to be shown.
type View struct {
	Width, Height int // of the terminal, in characters
	Page          Page
	Colour        bool
	Held          bool // the figures are held while the reading goes on
}

const (
	smallHeight = 16 // less leaves no room for large figures
	twoColumns  = 120
)

// Screen draws the state: a pure function of both.
func Screen(s *State, v View) string {
	p := painter{s: s, View: v, theme: theme{v.Colour}}
	lines := p.head()
	room := v.Height - len(lines) - 1 // the keys' line
	lines = append(lines, fill(p.body(room), room)...)
	if v.Height > 1 {
		lines = append(lines, p.keys())
	}
	lines = lines[:min(len(lines), max(v.Height, 1))]
	for i, l := range lines {
		lines[i] = cut(l, v.Width)
	}
	return strings.Join(lines, "\n")
}

// fill cuts or lengthens lines to n.
func fill(lines []string, n int) []string {
	n = max(n, 0)
	for len(lines) < n {
		lines = append(lines, "")
	}
	return lines[:n]
}

type painter struct {
	s *State
	View
	theme
}

// head says what is watched, how it stands, and the four large numbers.
func (p painter) head() []string {
	var lines []string
	title := p.bold("vllmbench monitor")
	if p.s.URL != "" {
		title += "  " + p.s.URL
	}
	if p.s.Simulated {
		title += "  " + p.warn("SIMULATED")
	}
	if p.s.Insecure {
		title += "  " + p.fault("INSECURE")
	}
	lines = append(lines, p.ends(title, p.s.now.Format(time.TimeOnly)))
	if p.Height >= smallHeight {
		lines = append(lines, p.ends(p.dim(p.s.gpuTitle()), p.dim(p.window())))
	}
	if p.Height >= smallHeight/2 {
		lines = append(lines, p.status())
	}
	return append(lines, p.large()...)
}

// ends writes one text at the left end of a line and one at the right, if both fit.
func (p painter) ends(left, right string) string {
	gap := p.Width - lipgloss.Width(left) - lipgloss.Width(right)
	if gap < 1 {
		return left
	}
	return left + strings.Repeat(" ", gap) + right
}

// gpuTitle names the GPUs.
func (s *State) gpuTitle() string {
	if len(s.GPUs) == 0 {
		if s.NoGPU != "" {
			return "no GPU figures: " + s.NoGPU
		}
		return "no GPU figures"
	}
	name := fmt.Sprintf("GPU %d: %s", s.GPUs[0].Index, s.GPUs[0].Name)
	if n := len(s.GPUs); n > 1 {
		name = fmt.Sprintf("%d GPUs: %s (sum or mean)", n, s.GPUs[0].Name)
	}
	return name + ", " + s.Source
}

// window names the time that the figures are of.
func (p painter) window() string {
	d := p.s.newest().elapsed
	if u := p.s.gpu.usage; d == 0 && u != nil {
		d = u.To.Sub(u.From)
	}
	switch {
	case len(p.s.rows) == 0:
		return "waiting for figures"
	case d == 0:
		return "no figures now"
	}
	return "figures: last " + brief(d)
}

// status is the one line for what is wrong or remarkable now.
func (p painter) status() string {
	v, g := &p.s.server, &p.s.gpu
	var parts []string
	if v.gone() {
		why := v.why
		if why == "" {
			why = "no answer to GET /metrics"
		}
		parts = append(parts, p.fault("SERVER GONE")+" since "+v.since.Format(time.TimeOnly)+" ("+brief(p.s.now.Sub(v.since))+"): "+why)
	}
	if g.state.Reason != "" {
		parts = append(parts, p.fault("GPU "+strings.ToUpper(g.state.Name))+": "+g.state.Reason)
	}
	if g.gap != nil && p.s.newest().idle {
		parts = append(parts, p.warn("GPU IDLE")+" for "+brief(g.gap.length())+g.gap.during())
	}
	if g.slow != "" {
		parts = append(parts, p.warn("THROTTLED")+": "+g.slow)
	}
	if p.Held {
		parts = append([]string{p.warn("HELD")}, parts...)
	}
	return strings.Join(parts, "  ")
}

// keys is the last line.
func (p painter) keys() string {
	var tabs []string
	for i, name := range pageNames {
		name = fmt.Sprintf("%d %s", i+1, name)
		if Page(i) == p.Page {
			name = p.bold("[" + name + "]")
		}
		tabs = append(tabs, name)
	}
	return p.ends(strings.Join(tabs, "  ")+"  "+p.dim("space hold  q quit"), "up "+brief(p.s.now.Sub(p.s.started)))
}
