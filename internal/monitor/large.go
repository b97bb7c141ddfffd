package monitor

import (
	"strings"
)

// A headline is one of the four large numbers.
type headline struct {
	q           quantity
	label, text string
}

// headlines chooses four: how busy the GPU is by what it cannot hide, its
// power, the batch and the queue, the output. Where one side is missing the other has more.
func (s *State) headlines() (four []headline) {
	plain := func(q quantity) headline {
		return headline{q, columns[q].name + " " + columns[q].unit, q.value(s.newest().cells[q])}
	}
	if q, ok := s.shownFirst(dram, smActive, busy, utilization); ok {
		h := plain(q)
		h.label = "GPU " + h.label
		four = append(four, h)
	}
	if s.offered[power] {
		four = append(four, plain(power))
	}
	if s.offered[running] {
		h := plain(running)
		if s.offered[waiting] {
			h.label, h.text = "running / waiting", h.text+"/"+waiting.value(s.newest().cells[waiting])
		}
		four = append(four, h)
	}
	for _, q := range []quantity{outTokens, ttft, kvUse, smClock, memory, temperature} {
		if s.offered[q] && len(four) < 4 {
			four = append(four, plain(q))
		}
	}
	return four
}

// large draws the four numbers, side by side where there is room.
func (p painter) large() []string {
	four := p.s.headlines()
	if len(four) == 0 {
		return nil
	}
	width := p.Width / 4
	if p.Height < smallHeight || width < 18 {
		var lines []string
		for _, h := range four {
			lines = append(lines, pad(h.label, 20)+p.bold(p.of(h.q, padLeft(h.text, 8))))
		}
		return lines
	}
	var label strings.Builder
	var lines [bigLines]string
	for _, h := range four {
		label.WriteString(pad(" "+h.label, width))
		drawn, ok := big(h.text, width-2)
		if !ok {
			drawn = [bigLines]string{1: h.text}
		}
		for i := range lines {
			lines[i] += " " + p.of(h.q, pad(drawn[i], width-1))
		}
	}
	return append([]string{label.String()}, lines[:]...)
}
