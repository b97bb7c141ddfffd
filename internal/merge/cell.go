package merge

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"time"

	"vllmbench/client"
	"vllmbench/internal/measure"
)

// A cell is one row of the merged run, with what each instance did in it.
type cell struct {
	name       string
	repetition int
	parts      []*part
}

// collect reads the rows of all live instances. One whose requests are not all here has died.
func (m *merger) collect() error {
	for _, i := range m.live() {
		var parts []*part
		for k := range i.Rows {
			p, err := i.part(k)
			if err != nil {
				i.died = err.Error()
				m.lost = append(m.lost, i.lost())
				break
			}
			parts = append(parts, p)
		}
		if i.died != "" {
			continue
		}
		for k, p := range parts {
			if err := mergeable(p); err != nil {
				return err
			}
			c := m.cell(p.row.Name, i.Rows[k].Repetition)
			if len(c.parts) > 0 && c.parts[0].row.SLO != p.row.SLO {
				return fmt.Errorf("%s and %s measured %s by different objectives (%q and %q): merge instances of one load", c.parts[0].name, i.name, c.name, c.parts[0].row.SLO, p.row.SLO)
			}
			c.parts = append(c.parts, p)
		}
	}
	if len(m.cells) == 0 {
		return fmt.Errorf("no record has a row to merge: %s", lostOr(m.lost, "the instances measured nothing"))
	}
	return nil
}

// mergeable refuses rows of which a record does not keep what measuring them again needs.
func mergeable(p *part) error {
	switch p.row.Experiment {
	case "throughput", "arrivals":
	default:
		return fmt.Errorf("%s is of the experiment %q, which several processes cannot share: merge throughput and arrivals", p.row.Name, p.row.Experiment)
	}
	if slices.ContainsFunc(p.requests, func(r client.Result) bool { return r.Seen > 0 }) {
		return fmt.Errorf("the prompts of %s were made for the prefix cache, and a record does not keep how: merge loads of new prompts", p.row.Name)
	}
	return nil
}

func (m *merger) cell(name string, repetition int) *cell {
	k := slices.IndexFunc(m.cells, func(c *cell) bool { return c.name == name && c.repetition == repetition })
	if k < 0 {
		k = len(m.cells)
		m.cells = append(m.cells, &cell{name: name, repetition: repetition})
	}
	return m.cells[k]
}

// all is every request of the cell, instance by instance.
func (c *cell) all() (all []client.Result) {
	for _, p := range c.parts {
		all = append(all, p.requests...)
	}
	return all
}

// shared is the cell that the instances make together: its rate, and its requests in flight, are theirs added up.
func (c *cell) shared(share float64) measure.Cell {
	first := c.parts[0].row
	sum := first.Cell
	sum.Batch, sum.Rate = 0, 0
	var prompts, outputs, n float64
	for _, p := range c.parts {
		sum.Batch += p.row.Batch
		sum.Rate += p.row.Rate
		k := float64(max(len(p.requests), 1))
		prompts, outputs, n = prompts+k*float64(p.row.PromptTokens), outputs+k*float64(p.row.OutputTokens), n+k
	}
	if share > 0 {
		sum.Rate /= share
	}
	sum.Rate = math.Round(sum.Rate*1e9) / 1e9 // three thirds are a whole
	sum.PromptTokens, sum.OutputTokens = int(math.Round(prompts/n)), int(math.Round(outputs/n))
	sum.Name = renamed(first, sum)
	return sum
}

// load is the part of a name that tells it.
var load = regexp.MustCompile(`(batch|rate)=([\d.]+)`)

// renamed is the cell's name. Processes that know of no other name a cell by their own load, instances by that of all.
func renamed(own *measure.Row, sum measure.Cell) string {
	return load.ReplaceAllStringFunc(own.Name, func(text string) string {
		m := load.FindStringSubmatch(text)
		named, _ := strconv.ParseFloat(m[2], 64)
		switch {
		case m[1] == "batch" && named == float64(own.Batch):
			return fmt.Sprintf("batch=%d", sum.Batch)
		case m[1] == "rate" && closeTo(named, own.Rate):
			return fmt.Sprintf("rate=%.4g", sum.Rate)
		}
		return text
	})
}

// closeTo says whether named is rate as names have it, to four digits.
func closeTo(named, rate float64) bool { return math.Abs(named-rate) <= 1e-3*rate }

// window is the time in which all instances measured, and how much of the longest window it is.
func (c *cell) window() (w measure.Window, kept float64) {
	w = c.parts[0].window
	longest := time.Duration(0)
	for _, p := range c.parts {
		w.From, w.To = max(w.From, p.window.From), min(w.To, p.window.To)
		longest = max(longest, p.window.Length())
	}
	w.To = max(w.From, w.To)
	return w, float64(w.Length()) / float64(max(longest, 1))
}
