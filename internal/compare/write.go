package compare

import (
	"encoding/json"
	"fmt"
	"io"
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
		align(&b, t.rows())
		for _, n := range t.notes() {
			fmt.Fprintln(&b, n)
		}
		if needs := t.needs(); len(needs) > 0 {
			fmt.Fprintln(&b, "repetitions that would decide:")
			for _, n := range needs {
				fmt.Fprintln(&b, "  "+n)
			}
		}
	}
	fmt.Fprintf(&b, "\n%s\n", r.rule())
	for _, line := range r.conclusion() {
		fmt.Fprintln(&b, line)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// align writes rows in columns: names and words to the left, numbers to the right.
func align(b *strings.Builder, rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 1 || i == 2 || i == 4 {
				line.WriteString(pad + cell + "  ")
			} else {
				line.WriteString(cell + pad + "  ")
			}
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
		for k, row := range t.rows() {
			for j := range row {
				row[j] = escape(row[j])
			}
			fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
			if k == 0 {
				fmt.Fprintln(&b, "|---|--:|--:|---|--:|---|")
			}
		}
		for _, n := range t.notes() {
			fmt.Fprintf(&b, "\n%s\n", escape(n))
		}
		for k, n := range t.needs() {
			if k == 0 {
				fmt.Fprint(&b, "\nRepetitions that would decide:\n\n")
			}
			fmt.Fprintf(&b, "- %s\n", escape(n))
		}
	}
	fmt.Fprintf(&b, "\n%s\n", escape(r.rule()))
	_, err := io.WriteString(w, b.String())
	return err
}

// escape keeps what a reason or a name holds from being markup.
func escape(s string) string {
	return strings.NewReplacer("|", `\|`, "*", `\*`, "<", "&lt;", "_", `\_`, "~", `\~`).Replace(s)
}
