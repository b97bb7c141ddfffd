package compare

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Formats of Write.
const (
	Text     = "text"
	Markdown = "md"
	JSON     = "json"
)

// Write writes the report as text for a terminal, as Markdown or as JSON.
func (r *Report) Write(w io.Writer, format string) error {
	switch format {
	case Text:
		return r.text(w)
	case Markdown:
		return r.markdown(w)
	case JSON:
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", " ")
		return e.Encode(r)
	}
	return fmt.Errorf("format %q is none: text, md and json are", format)
}

func (r *Report) text(w io.Writer) error {
	var b strings.Builder
	for _, line := range r.preamble() {
		fmt.Fprintln(&b, line)
	}
	for i := range r.Metrics {
		t := &r.Metrics[i]
		fmt.Fprintf(&b, "\n%s\n", t.heading())
		align(&b, t.rows(), 0, 3, 5)
		for _, n := range t.notes() {
			fmt.Fprintln(&b, n)
		}
		align(&b, t.needs(), 0)
	}
	fmt.Fprintln(&b)
	for _, line := range r.rule() {
		fmt.Fprintln(&b, line)
	}
	for _, line := range r.conclusion() {
		fmt.Fprintln(&b, line)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// align writes rows in columns, of which those of left begin at the left and the others end at the right.
func align(b *strings.Builder, rows [][]string, left ...int) {
	var widths [6]int
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if slices.Contains(left, i) {
				cell += pad
			} else {
				cell = pad + cell
			}
			line.WriteString(cell + "  ")
		}
		fmt.Fprintln(b, strings.TrimRight(line.String(), " "))
	}
}

func (r *Report) markdown(w io.Writer) error {
	var b strings.Builder
	for i, line := range r.conclusion() {
		if i == 0 {
			fmt.Fprintf(&b, "**%s**\n\n", escape(line))
			continue
		}
		fmt.Fprintf(&b, "%s\n\n", escape(line))
	}
	for _, line := range r.preamble() {
		fmt.Fprintf(&b, "- %s\n", escape(line))
	}
	for i := range r.Metrics {
		t := &r.Metrics[i]
		fmt.Fprintf(&b, "\n### %s\n\n", escape(t.heading()))
		grid(&b, t.rows(), "|---|--:|--:|---|--:|---|")
		for _, n := range t.notes() {
			fmt.Fprintf(&b, "\n%s\n", escape(n))
		}
		if needs := t.needs(); needs != nil {
			fmt.Fprintln(&b)
			grid(&b, needs, "|---|--:|--:|--:|")
		}
	}
	fmt.Fprintf(&b, "\n%s\n", escape(strings.Join(r.rule(), " ")))
	_, err := io.WriteString(w, b.String())
	return err
}

// grid writes a table, the first row its heads.
func grid(b *strings.Builder, rows [][]string, rule string) {
	for i, row := range rows {
		cells := make([]string, len(row))
		for k, cell := range row {
			cells[k] = escape(cell)
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
		if i == 0 {
			fmt.Fprintln(b, rule)
		}
	}
}

// escape keeps what a reason or a name holds from being markup, a link or a
// mention. Brackets alone are intervals, and stay.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "*", `\*`, "<", "&lt;", "_", `\_`, "~", `\~`, "`", "\\`", "$", `\$`, "](", `]\(`, "@", "@\u200b").Replace(s)
}
