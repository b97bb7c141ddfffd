package monitor

import (
	"strings"

	"charm.land/lipgloss/v2"
)

// A theme colours words. Its zero value leaves them as they are. Colours are
// of Okabe and Ito's palette, which colour-blind readers tell apart, and never
// say anything that the words do not.
type theme struct{ on bool }

func (t theme) as(s lipgloss.Style, text string) string {
	if !t.on || strings.TrimSpace(text) == "" {
		return text
	}
	return s.Render(text)
}

func coloured(hex string) lipgloss.Style { return lipgloss.NewStyle().Foreground(lipgloss.Color(hex)) }

func (t theme) gpu(s string) string    { return t.as(coloured("#2fb890"), s) }
func (t theme) server(s string) string { return t.as(coloured("#56b4e9"), s) }
func (t theme) warn(s string) string   { return t.as(coloured("#e69f00").Bold(true), s) }
func (t theme) fault(s string) string  { return t.as(coloured("#e0662a").Bold(true), s) }
func (t theme) dim(s string) string    { return t.as(coloured("#8a8a8a"), s) }
func (t theme) bold(s string) string   { return t.as(lipgloss.NewStyle().Bold(true), s) }

// of colours by where a quantity comes from.
func (t theme) of(q quantity, s string) string {
	if q.onGPU() {
		return t.gpu(s)
	}
	return t.server(s)
}

// cut shortens a line to width, and pad fills it with spaces besides.
func cut(s string, width int) string { return lipgloss.NewStyle().MaxWidth(max(width, 1)).Render(s) }

func pad(s string, width int) string {
	s = cut(s, width)
	return s + strings.Repeat(" ", max(0, width-lipgloss.Width(s)))
}

func padLeft(s string, width int) string {
	return strings.Repeat(" ", max(0, width-lipgloss.Width(s))) + s
}
