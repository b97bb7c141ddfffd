package answers

import (
	"fmt"
	"strings"

	"vllmbench/internal/measure"
)

// overShared is a metric over the part of the prompt, in percent, that requests
// have in common; salted: of requests that have a salt of their own each.
func (v *view) overShared(metric string, salted bool) series {
	cells := map[int]map[float64]float64{}
	for _, row := range v.rows {
		shared, set := Setting(row.Measured.Cell, "shared")
		y, ok := row.Measured.Value(metric)
		if ok && y > 0 && set && row.Measured.Experiment == prefix && Salted(row.Measured.Cell) == salted {
			put(cells, row.Repetition, shared, y)
		}
	}
	return table(cells)
}

// Salted says whether each request of the cell had a cache salt of its own, so that none could share.
func Salted(c measure.Cell) bool { return strings.HasSuffix(c.Name, "/salt=request") }

func sharing(v *view, _ *Summary) Answer {
	a := Answer{ID: "shared", Question: "What does a shared prefix save?", Status: NotEnough, Figure: "shared-ttft"}
	metric := v.has(prefix, "p50-ttft-ns", "mean-ttft-ns")
	t := v.overShared(metric, false)
	a.Evidence = append(v.hitsEvidence(t), v.voids(prefix)...)
	last := len(t.x) - 1
	if last < 1 {
		a.Text = fmt.Sprintf("TTFT is known for %s of the prompt, and a saving needs 2: run BenchmarkPrefix with -shared=0,50,90.", plural(len(t.x), "shared part"))
		return a
	}
	a.Status = Answered
	change := t.each(func(y []float64) float64 { return 100 * (y[0] - y[1]) / y[0] }, 0, last)
	verdict := fmt.Sprintf("saves %s of TTFT", change.text("%"))
	switch {
	case change.holds(0):
		verdict = "makes no difference to TTFT that stands out"
	case change.Value < 0:
		verdict = fmt.Sprintf("saves nothing, TTFT is %s longer", change.scaled(-1).text("%"))
	}
	a.Text = fmt.Sprintf("A prefix of %v %% of the prompt in common %s against %v %%: %s in place of %s, with prompts of %s tokens and %s in flight.",
		t.x[last], verdict, t.x[0], t.at(last).duration(""), t.at(0).duration(""), count(v.cellOf(prefix).PromptTokens), count(v.cellOf(prefix).Batch))
	if tok := v.overShared("tok/s", false); tok.find(t.x[0]) >= 0 && tok.find(t.x[last]) >= 0 {
		a.Text += fmt.Sprintf(" Throughput is %s.", tok.over(tok.find(t.x[last]), tok.find(t.x[0])).ratio())
	}
	if salted := v.overShared(metric, true); salted.find(t.x[last]) >= 0 {
		a.Text += fmt.Sprintf(" With a salt of its own for each request, which lets none share, it is %s.", salted.at(salted.find(t.x[last])).duration(""))
	}
	return a
}

// cellOf is the first valid cell of an experiment.
func (v *view) cellOf(experiment string) measure.Cell {
	for _, row := range v.rows {
		if row.Measured.Experiment == experiment {
			return row.Measured.Cell
		}
	}
	return measure.Cell{}
}

// hitsEvidence lists TTFT and what the prefix cache found, beside what it should have, by shared part.
func (v *view) hitsEvidence(t series) (lines []string) {
	var times, hits []string
	for i, x := range t.x {
		times = append(times, fmt.Sprintf("%v %% shared: %s", x, t.at(i).duration("")))
	}
	if len(times) > 0 {
		lines = append(lines, "TTFT: "+strings.Join(times, "; "))
	}
	for _, l := range Levels(v.run, prefix, "prefix-hit-%") {
		if l.N > 0 {
			hits = append(hits, fmt.Sprintf("%s: %s, expected %s", clean(l.Cell.Name), l.text("%"), v.cell(l.Cell, "prefix-expected-%").text("%")))
		}
	}
	if len(hits) > 0 {
		lines = append(lines, "prompt tokens found in the prefix cache: "+strings.Join(hits, "; "))
	}
	return lines
}

func talking(v *view, _ *Summary) Answer {
	a := Answer{ID: "turns", Question: "What does a conversation cost by turn?", Status: NotEnough, Figure: "turns-ttft"}
	var text []string
	for _, cell := range v.conversations() {
		byTurn := v.overTurns(cell)
		last := len(byTurn.x) - 1
		if last < 1 {
			continue
		}
		text = append(text, fmt.Sprintf("With %s, TTFT is %s at turn 1 and %s at turn %v: %s.",
			plural(cell.Batch, "user"), byTurn.at(0).duration(""), byTurn.at(last).duration(""), byTurn.x[last], byTurn.over(last, 0).ratio()))
		var parts []string
		for i, x := range byTurn.x {
			parts = append(parts, fmt.Sprintf("turn %v: %s", x, byTurn.at(i).duration("")))
		}
		a.Evidence = append(a.Evidence, fmt.Sprintf("median TTFT, %s: %s", clean(cell.Name), strings.Join(parts, "; ")))
		if hit := v.cell(cell, "prefix-hit-%"); hit.N > 0 {
			a.Evidence = append(a.Evidence, fmt.Sprintf("prompt tokens found in the prefix cache, %s: %s, expected %s", clean(cell.Name), hit.text("%"), v.cell(cell, "prefix-expected-%").text("%")))
		}
	}
	a.Evidence = append(a.Evidence, v.voids(turns)...)
	if len(text) == 0 {
		a.Text = "TTFT is not known of two turns or more: run BenchmarkTurns with -turns=4, and look at the void rows."
		return a
	}
	a.Status, a.Text = Answered, strings.Join(text, " ")
	return a
}

// conversations are the cells of conversations that have valid rows.
func (v *view) conversations() (cells []measure.Cell) {
	for _, l := range Levels(v.run, turns, measure.TurnTTFT(1)) {
		if l.N > 0 {
			cells = append(cells, l.Cell)
		}
	}
	return cells
}

// overTurns is the median TTFT of a cell's turns, by repetition.
func (v *view) overTurns(cell measure.Cell) series {
	sums := map[int]map[float64]float64{}
	for _, row := range v.rows {
		if row.Measured.Cell != cell {
			continue
		}
		for turn := 1; measure.TurnTTFT(turn) != measure.TurnTTFT(turn+1); turn++ { // those behind have one metric together
			if y, ok := row.Measured.Value(measure.TurnTTFT(turn)); ok && y > 0 {
				put(sums, row.Repetition, float64(turn), y)
			}
		}
	}
	return table(sums)
}
