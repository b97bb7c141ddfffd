package merge

import (
	"fmt"
	"slices"
	"time"

	"vllmbench/client"
	"vllmbench/internal/measure"
	"vllmbench/internal/slo"
)

// row measures a cell anew from the requests of all instances.
func (m *merger) row(c *cell) (Row, error) {
	run, err := m.run(c)
	if err != nil {
		return Row{}, err
	}
	m.books.enter(run)
	row := run.Row()
	row.Void = slices.Concat(c.apart(), row.Void, m.books.void)
	for _, p := range c.parts {
		for _, reason := range p.row.Void {
			row.Void = append(row.Void, p.name+": "+reason)
		}
	}
	c.keepLeftOut(&row)
	m.leaveOut(&row)
	return Row{row, c.all()}, nil
}

// run is what measure needs of the cell.
func (m *merger) run(c *cell) (*measure.Run, error) {
	h := &m.all[0].Header
	run := &measure.Run{
		Cell: c.shared(m.share()), Quantiles: h.Quantiles(), Stamps: client.KernelStamps, Procs: procs(c.parts),
		RequireLedger: h.Flags["require-ledger"] == "true", Varies: c.varies(),
	}
	var err error
	if run.SLO, err = slo.Parse(c.parts[0].row.SLO); err != nil {
		return nil, fmt.Errorf("%s: the objectives of %s: %w", c.parts[0].name, c.name, err)
	}
	if text := h.Flags["limits"]; text != "" {
		if err := run.Limits.Set(text); err != nil {
			return nil, fmt.Errorf("%s: its flag limits: %w", m.all[0].name, err)
		}
	}
	var kept float64
	run.Window, kept = c.window()
	m.notes = append(m.notes, fmt.Sprintf("%s: %d requests of %d instances; the window in which all were at work is %.3g s, %.3g %% of the longest of one",
		run.Name, len(c.all()), len(c.parts), run.Window.Length().Seconds(), 100*kept))
	for _, p := range c.parts {
		if p.Header.Stamps != string(client.KernelStamps) {
			run.Stamps = client.UserStamps
		}
		run.Streams = append(run.Streams, p.streams()...)
	}
	run.CPU = c.cpu(run.Window)
	c.count(run)
	return run, nil
}

// minCommon is the share of the longest window that all must have in common: with less, instances
// began apart, and what they measured together is not the load that was asked for.
const minCommon = 0.5

// apart says that the instances did not load the server at the same time, if so.
func (c *cell) apart() []string {
	w, kept := c.window()
	switch {
	case w.Length() == 0:
		return []string{"the instances' windows do not overlap: they did not load the server at the same time"}
	case kept < minCommon:
		return []string{fmt.Sprintf("all instances were at work for %.3g s alone, %.3g %% of the longest window of one, under %g %%: start them at the same time", w.Length().Seconds(), 100*kept, 100*minCommon)}
	}
	return nil
}

// varies says whether the rate of an open loop changes by design: then, and only then, is all of the load its window.
func (c *cell) varies() bool {
	return c.parts[0].row.Open() && !slices.ContainsFunc(c.parts, func(p *part) bool {
		return slices.ContainsFunc(p.requests, func(r client.Result) bool { return r.Scheduled && r.Intended < p.window.From })
	})
}

// count finds the operations in the window, and the connections that were opened in it.
func (c *cell) count(run *measure.Run) {
	w := run.Window
	due, ended, reused := 0, 0, false
	for _, r := range c.all() {
		switch {
		case r.Scheduled && w.From <= r.Intended && r.Intended < w.To:
			due++
		case !r.Scheduled && w.From < r.End && r.End <= w.To:
			ended++
		}
		reused = reused || r.Reused
		if r.Sent > w.From && r.Sent <= w.To && r.Attempts > 0 && !r.Reused {
			run.Opened++
		}
	}
	run.Ops = ended / max(run.Batch, 1)
	if run.Open() {
		run.Ops = due
	}
	run.Reopens = !reused
}

// cpu is the instances' CPU time in the window, which each tells per token of its own; 0 if one does not.
func (c *cell) cpu(w measure.Window) (cpu time.Duration) {
	for _, p := range c.parts {
		tokens := 0
		for _, r := range p.requests {
			for _, e := range r.Events {
				if w.From < e.At && e.At <= w.To {
					tokens += e.Tokens
				}
			}
		}
		each, ok := p.row.Value("cpu-ns/tok")
		if !ok && tokens > 0 {
			return 0
		}
		cpu += time.Duration(each * float64(tokens))
	}
	return cpu
}

// ofProcess are the rules about one process: the sum would hide one that has no processor left, and how late timers were is in no record.
var ofProcess = []string{"cpu", "lag"}

// keepLeftOut leaves out what a rule about one process took out of an instance's own row.
func (c *cell) keepLeftOut(row *measure.Row) {
	for _, p := range c.parts {
		for _, l := range p.row.LeftOut {
			if slices.Contains(ofProcess, l.Rule) {
				leave(row, measure.LeftOut{Metric: l.Metric, Rule: l.Rule, Reason: p.name + ": " + l.Reason})
			}
		}
	}
}

// leave takes a metric out of the row, if it is in it.
func leave(row *measure.Row, l measure.LeftOut) {
	k := slices.IndexFunc(row.Values, func(v measure.Value) bool { return v.Metric == l.Metric })
	if k >= 0 {
		row.Values = slices.Delete(row.Values, k, k+1)
		row.LeftOut = append(row.LeftOut, l)
	}
}
