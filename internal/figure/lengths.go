package figure

import (
	"fmt"
	"slices"
	"strings"

	"vllmbench/internal/answers"
	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// mostLengthLines is how many lines a figure over lengths may have: beyond it
// some prompt lengths are left out, the shortest and the longest last.
const mostLengthLines = 4

func promptLength(c measure.Cell) int { return c.PromptTokens }
func outputLength(c measure.Cell) int { return c.OutputTokens }

const (
	promptLabel = "prompt length (tokens)"
	outputLabel = "output length (tokens)"
)

// ttft is TTFT over the prompt, of all output lengths: the first token does not know how many follow.
func (m *maker) ttft() []Figure {
	metric := m.metric(ofSeqLen, "mean-ttft-ns", "p50-ttft-ns")
	if metric == "" {
		return nil
	}
	const server = "engine-ttft-ns"
	pooled := &maker{summaries: m.summaries, names: m.names}
	for _, r := range m.runs {
		pooled.runs = append(pooled.runs, overOutputs(r, metric, server))
	}
	f := Figure{ID: "ttft-prompt", Title: "Does a twice longer prompt take twice as long?", Better: "lower",
		Y: Axis{Label: quantity(metric) + " (ms)"}}
	for i, name := range pooled.names {
		o := of{experiment: ofSeqLen, metric: metric, scale: ms, x: promptLength}
		points := pooled.points(i, o)
		if len(points) == 0 {
			continue
		}
		if fit := m.summaries[i].Prefill; fit != nil && len(m.runs) > fewRuns {
			name += ": " + duration(fit.B.Value) + " a token" + bent(*fit)
		}
		f.Lines = append(f.Lines, Line{Run: i, Role: Data, Label: name, Points: points})
		if len(m.runs) > fewRuns {
			continue
		}
		o.metric = server
		if own := pooled.points(i, o); metric == "mean-ttft-ns" && measured(own) {
			f.Lines = append(f.Lines, Line{Run: i, Role: Server, Label: name + ", server's own", Points: plain(own)})
		}
		f.Lines = append(f.Lines, fitted(i, name, m.summaries[i].Prefill, points)...)
	}
	f.Notes = []string{"all output lengths together; on this axis a straight line (dotted) is bent"}
	if len(m.runs) > fewRuns {
		f.Notes = []string{fmt.Sprintf("all output lengths together; fits and the server's own TTFT are drawn of %d runs at most", fewRuns)}
	}
	return pooled.finish(f, promptLabel, linearAxis, ofSeqLen, metric)
}

// plain are the measured points, without their intervals.
func plain(points []Point) (out []Point) {
	for _, p := range points {
		if p.Void == "" {
			out = append(out, Point{X: p.X, Y: p.Y, N: p.N})
		}
	}
	return out
}

// overOutputs is the run with one row for each repetition of a prompt length:
// the mean of metrics over the output lengths.
func overOutputs(run *results.Run, metrics ...string) *results.Run {
	out := &results.Run{Name: run.Name}
	type level struct{ repetition, batch, prompt int }
	values := map[level]map[string][]float64{}
	var order []level
	for _, row := range run.Rows {
		if row.Measured.Experiment != ofSeqLen {
			continue
		}
		if len(row.Measured.Void) > 0 {
			row.Measured.Cell = overOutput(row.Measured.Batch, row.Measured.PromptTokens)
			out.Rows = append(out.Rows, row)
			continue
		}
		at := level{row.Repetition, row.Measured.Batch, row.Measured.PromptTokens}
		if values[at] == nil {
			values[at] = map[string][]float64{}
			order = append(order, at)
		}
		for _, metric := range metrics {
			if v, ok := row.Measured.Value(metric); ok {
				values[at][metric] = append(values[at][metric], v)
			}
		}
	}
	for _, at := range order {
		row := results.Row{Repetition: at.repetition, Measured: measure.Row{Cell: overOutput(at.batch, at.prompt)}}
		for _, metric := range metrics {
			if v := values[at][metric]; len(v) > 0 {
				row.Measured.Values = append(row.Measured.Values, measure.Value{Metric: metric, Value: mean(v)})
			}
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

func overOutput(batch, prompt int) measure.Cell {
	return measure.Cell{Experiment: ofSeqLen, Name: fmt.Sprintf("SeqLen/prompt=%d", prompt), Batch: batch, PromptTokens: prompt}
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// fitSteps is the number of pieces of a straight line on a log axis, on which it is bent.
const fitSteps = 32

// fitted is a fitted line over the range of points, with its slope as label.
func fitted(run int, name string, l *answers.Line, points []Point) []Line {
	if l == nil || len(points) < 2 {
		return nil
	}
	lo, hi := points[0].X, points[len(points)-1].X
	out := Line{Run: run, Role: Fit, Label: name + ": " + duration(l.B.Value) + " a token" + bent(*l)}
	for k := range fitSteps + 1 {
		x := lo + (hi-lo)*float64(k*k)/fitSteps/fitSteps
		out.Points = append(out.Points, Point{X: digits(x, 5), Y: digits((l.A.Value+l.B.Value*x)*ms, 6)})
	}
	return []Line{out}
}

// bent warns of a line that the levels do not lie on.
func bent(l answers.Line) string {
	if l.Straight {
		return ""
	}
	return ", not straight"
}

func (m *maker) tpot() []Figure {
	f := Figure{ID: "tpot-output", Title: "Do later tokens cost more?", Better: "lower"}
	return m.overOutput(f, m.metric(ofSeqLen, "p50-tpot-ns", "mean-tpot-ns"), func(int, int) string { return "" })
}

func (m *maker) e2e() []Figure {
	f := Figure{ID: "e2e-output", Title: "What does an output token cost?", Better: "lower"}
	return m.overOutput(f, m.metric(ofSeqLen, "mean-e2e-ns", "p50-e2e-ns"), func(run, prompt int) string {
		for _, l := range m.summaries[run].DecodeByPrompt {
			if l.PromptTokens == prompt {
				return ": " + duration(l.B.Value) + " a token" + bent(l.Line)
			}
		}
		return ""
	})
}

// overOutput is a figure over the output length, one line a run and prompt
// length, with what ending says behind its label.
func (m *maker) overOutput(f Figure, metric string, ending func(run, prompt int) string) []Figure {
	if metric == "" {
		return nil
	}
	f.Y.Label = quantity(metric) + " (ms)"
	prompts, left := m.prompts()
	for i, name := range m.names {
		for _, prompt := range prompts {
			o := of{experiment: ofSeqLen, metric: metric, scale: ms, x: outputLength, only: func(c measure.Cell) bool { return c.PromptTokens == prompt }}
			if points := m.points(i, o); len(points) > 0 {
				label := fmt.Sprintf("%s, prompt %s%s", name, count(prompt), ending(i, prompt))
				f.Lines = append(f.Lines, Line{Run: i, Role: Data, Label: label, Points: points})
			}
		}
	}
	if len(left) > 0 {
		f.Notes = []string{"not drawn, for want of room: prompts of " + strings.Join(left, ", ") + " tokens"}
	}
	return m.finish(f, outputLabel, linearAxis, ofSeqLen, metric)
}

// prompts are the prompt lengths that are drawn, and those that are not.
func (m *maker) prompts() (drawn []int, left []string) {
	var all []int
	for _, r := range m.runs {
		for _, row := range r.Rows {
			if row.Measured.Experiment == ofSeqLen && !slices.Contains(all, row.Measured.PromptTokens) {
				all = append(all, row.Measured.PromptTokens)
			}
		}
	}
	slices.Sort(all)
	n := min(len(all), max(1, mostLengthLines/len(m.runs)))
	for k := range n {
		at := len(all) - 1 // the longest, if there is room for one
		if n > 1 {
			at = k * (len(all) - 1) / (n - 1)
		}
		drawn = append(drawn, all[at])
	}
	for _, p := range all {
		if !slices.Contains(drawn, p) {
			left = append(left, count(p))
		}
	}
	return drawn, left
}
