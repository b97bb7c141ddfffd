package report

import (
	"fmt"
	"strings"
)

// tables writes those of interest; the page has all.
func (m *markdown) tables() {
	m.line("## Results\n")
	m.line("Medians over n valid repetitions with 95 %% intervals; with fewer than 6 there is none. The page has all metrics.\n")
	for i, t := range m.doc.Tables {
		switch {
		case i == 0 || t.ID == "load" || t.ID == "prefix":
			m.table(t)
		case !t.Folded && len(m.doc.Runs) <= foldFrom:
			m.folded(t.Title, func() { m.table(t) })
		}
	}
}

func (m *markdown) table(t table) {
	head := []string{"cell"}
	if m.many {
		head = append(head, "run")
	}
	texts := len(head)
	head = append(head, "n")
	for _, c := range t.Columns {
		name := escape(c.Name)
		if c.Unit != "" {
			name += " (" + escape(c.Unit) + ")"
		}
		head = append(head, name)
	}
	m.row(head...)
	m.rule(texts, len(head))
	for _, r := range t.Rows {
		m.tableRow(r, len(t.Columns))
	}
	m.line("")
}

func (m *markdown) tableRow(r tableRow, columns int) {
	cells := []string{escape(r.Cell)}
	if m.many {
		cells = append(cells, escape(r.RunName))
	}
	cells = append(cells, fmt.Sprint(r.N))
	if r.Void != "" {
		m.row(append(append(cells, "void: "+escape(r.Void)), make([]string, columns-1)...)...)
		return
	}
	for _, v := range r.Values {
		text := v.Text
		switch {
		case text == "" && v.LeftOut != "":
			text = "left out"
		case v.Interval != "":
			text += " " + escape(v.Interval)
		}
		if v.N > 0 {
			text += fmt.Sprintf(" (n=%d)", v.N)
		}
		cells = append(cells, text)
	}
	m.row(cells...)
}

func (m *markdown) environment() {
	m.row("what", "which", "value")
	m.rule(3, 3)
	for _, g := range m.doc.Facts {
		for _, f := range g.Facts {
			m.row(escape(g.Name), escape(f.Name), m.values(f.Values))
		}
	}
	m.line("")
}

// trust says what is void or left out, and how the ledger stands.
func (m *markdown) trust() {
	if len(m.doc.Void) > 0 {
		m.line("## Void rows\n")
		m.line("They enter no median, no interval and no answer.\n")
		for _, v := range m.doc.Void {
			m.line("- %s, %s, repetition %d: %s", escape(v.Run), escape(v.Cell), v.Repetition, escape(strings.Join(v.Reasons, "; ")))
		}
		m.line("")
	}
	if len(m.doc.LeftOut) > 0 {
		m.folded("Metrics left out", func() {
			m.row("metric", "rows", "of runs", "why, the first time")
			m.rule(4, 4)
			for _, l := range m.doc.LeftOut {
				m.row(escape(l.Metric), count(l.Rows), escape(strings.Join(l.Runs, ", ")), escape(l.Reason))
			}
			m.line("")
		})
	}
	if len(m.doc.Accounts) > 0 {
		m.folded("The server's ledger", func() {
			m.row("run", "counted", "client", "server", "rows", "rows that differ")
			m.rule(2, 6)
			for _, a := range m.doc.Accounts {
				client, server := count(int(a.Ours)), count(int(a.Server))
				if a.Noted {
					client = "-"
				}
				if a.Rows == 0 {
					server = "not offered"
				}
				m.row(escape(a.Run), escape(a.Name), client, server, count(a.Rows), count(a.Off))
			}
			m.line("")
		})
	}
}
