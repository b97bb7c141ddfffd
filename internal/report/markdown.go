package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// Markdown writes the report as GitHub shows it: short enough for a pull
// request, with what is long folded away. Pictures are linked by their names.
func (r *Report) Markdown(w io.Writer) error {
	m := &markdown{doc: r.doc, many: len(r.runs) > 1, drawn: map[string]bool{}}
	for _, f := range r.figures {
		m.drawn[f.ID] = true
	}
	m.head()
	m.answers()
	m.warnings()
	m.differences()
	m.tables()
	m.folded("Environment", m.environment)
	m.trust()
	_, err := w.Write(m.out.Bytes())
	return err
}

type markdown struct {
	out   bytes.Buffer
	doc   document
	many  bool
	drawn map[string]bool // IDs of the figures
}

func (m *markdown) line(format string, args ...any) { fmt.Fprintf(&m.out, format+"\n", args...) }

func (m *markdown) folded(title string, body func()) {
	m.line("<details><summary>%s</summary>\n", escape(title))
	body()
	m.line("</details>\n")
}

// row writes one row of a table; its cells are escaped already.
func (m *markdown) row(cells ...string) { m.line("| %s |", strings.Join(cells, " | ")) }

// rule writes the line under a table's heads: so many columns of text, the others of numbers.
func (m *markdown) rule(text, columns int) {
	m.line("|%s%s", strings.Repeat(" --- |", text), strings.Repeat(" --: |", columns-text))
}

func (m *markdown) head() {
	m.line("# %s\n", escape(m.doc.Title))
	if names := m.doc.Simulated; len(names) > 0 {
		m.line("> **SIMULATED**: the server of %s is the embedded one. Its times are computed, not measured on a GPU.\n", escape(strings.Join(names, ", ")))
	}
	for _, r := range m.doc.Runs {
		parts := []string{"**" + escape(r.Name) + "**"}
		for _, part := range append([]string{r.When}, r.Own...) {
			if part != "" {
				parts = append(parts, escape(part))
			}
		}
		rows := count(r.Rows) + " rows"
		if r.Void > 0 {
			rows += ", **" + count(r.Void) + " void**"
		}
		parts = append(parts, rows)
		if r.Text {
			parts = append(parts, "read from a text: no requests, no GPU samples")
		}
		m.line("- %s", strings.Join(parts, " · "))
		for _, w := range r.Warnings {
			m.line("  - %s", escape(w))
		}
	}
	m.line("")
}

func (m *markdown) answers() {
	for _, q := range m.doc.Questions {
		m.line("### %s\n", escape(q.Question))
		var evidence []string
		for i, s := range q.Said {
			who := ""
			if m.many {
				who = escape(m.doc.Runs[s.Run].Name) + ": "
			}
			number := ""
			if s.Lead.Number != "" {
				number = "**" + escapeWithin(s.Lead.Number) + "**"
			}
			// The answer begins its line only if it names no run.
			begin := escapeWithin(s.Lead.Before)
			if who == "" && s.Lead.Before != "" {
				begin = escape(s.Lead.Before) + trailing(s.Lead.Before)
			}
			m.line("%s%s%s%s\n", who, begin, number, escapeWithin(s.Lead.After))
			if i >= foldFrom {
				continue // the page has it
			}
			if s.More != "" {
				evidence = append(evidence, "- "+who+escape(s.More))
			}
			for _, line := range s.Evidence {
				evidence = append(evidence, "- "+who+escape(line))
			}
		}
		if len(evidence) > 0 || m.drawn[q.Figure] {
			m.folded("Evidence", func() {
				m.line("%s\n", strings.Join(evidence, "\n"))
				if m.drawn[q.Figure] {
					m.line("![%s](%s.svg)\n", escape(q.Question), q.Figure)
				}
			})
		}
	}
}

// trailing is the space at the end of a text, which escape takes away.
func trailing(text string) string { return text[len(strings.TrimRight(text, " ")):] }

func (m *markdown) warnings() {
	if len(m.doc.Warnings) == 0 {
		return
	}
	m.line("## Warnings\n")
	for _, w := range m.doc.Warnings {
		of := ""
		if m.many {
			of = " (" + escape(strings.Join(w.Runs, ", ")) + ")"
		}
		m.line("- **%s**%s", escape(w.What), of)
		m.line("  %s", escape(w.Evidence))
		if w.Try != "" {
			m.line("  Try: %s", escape(w.Try))
		}
	}
	m.line("")
}

func (m *markdown) differences() {
	if !m.many {
		return
	}
	m.line("## What differs between the runs\n")
	if len(m.doc.Differ) == 0 {
		m.line("Nothing that was recorded: same server, settings, GPU, client and harness.\n")
		return
	}
	for _, f := range m.doc.Differ {
		m.line("- %s: %s: %s", escape(f.Group), escape(f.Name), m.values(f.Values))
	}
	m.line("")
}

func (m *markdown) values(all []factValue) string {
	var parts []string
	for _, v := range all {
		text := "not told"
		if v.Value != "" {
			text = escape(v.Value)
		}
		if !v.All {
			text += " (" + escape(strings.Join(v.Runs, ", ")) + ")"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " · ")
}
