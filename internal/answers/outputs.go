package answers

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"

	"vllmbench/internal/measure"
)

// agree is how far the cost of an output token and the mean ITL may lie apart:
// they are two measurements of one thing, and each is good to about 1 %.
const agree = 0.02

func outputs(v *view, s *Summary) Answer {
	a := Answer{ID: "output", Question: "What does an output token cost, and does a longer context make it dearer?", Status: NotEnough, Figure: "e2e-output"}
	o := v.outputLines()
	a.Evidence = v.voids(seqlen)
	if len(o.lines) == 0 {
		a.Text = "E2E of single requests is not known for two output lengths of one prompt length: run BenchmarkSeqLen with -outputs=50,100,200."
		return a
	}
	a.Status = Answered
	s.DecodeByPrompt, s.Decode = o.lines, o.pooled
	l := o.pooled
	shape := fmt.Sprintf("straight from %v to %v tokens, %s", o.first, o.last, l.offBy())
	switch {
	case l.Levels == 2:
		shape = fmt.Sprintf("from %v and %v tokens only: a third length in -outputs would show whether that is a straight line", o.first, o.last)
	case !l.Straight:
		shape = fmt.Sprintf("no straight line: off by up to %s %%", number(100*l.Worst))
	}
	a.Text = fmt.Sprintf("An output token costs %s, on top of %s for prompt and first token (%s).", l.B.duration(""), l.A.duration(""), shape)
	a.Text += v.besideITL(l) + o.contextText() + v.merit(s)
	a.Evidence = append(o.evidence(), a.Evidence...)
	return a
}

// outputFit is E2E over output tokens: a line for each prompt length, and
// their mean, in which a missing cell moves no other prompt's line.
type outputFit struct {
	metric      string
	lines       []PromptLine
	a, b        series // of the lines, by repetition, over the prompt
	pooled      *Line
	first, last float64 // output tokens
}

func (v *view) outputLines() *outputFit {
	o := &outputFit{metric: v.has(seqlen, "mean-e2e-ns", "p50-e2e-ns"), first: math.Inf(1)}
	as, bs := map[int]map[float64]float64{}, map[int]map[float64]float64{}
	for _, prompt := range v.promptLengths() {
		s := v.series(func(r *measure.Row) (x, y float64, ok bool) {
			y, ok = r.Value(o.metric)
			return float64(r.OutputTokens), y, ok && single(r) && r.PromptTokens == prompt
		})
		l := fitLine(s)
		if l == nil {
			continue
		}
		o.lines = append(o.lines, PromptLine{prompt, *l})
		o.first, o.last = min(o.first, s.x[0]), max(o.last, s.x[len(s.x)-1])
		a, b := s.lines()
		for i, repetition := range s.reps {
			put(as, repetition, float64(prompt), a[i])
			put(bs, repetition, float64(prompt), b[i])
		}
	}
	o.a, o.b = table(as), table(bs)
	o.pooled = o.mean()
	return o
}

// single says whether a row is of single requests of the experiment on lengths.
func single(r *measure.Row) bool { return r.Experiment == seqlen && r.Batch == 1 }

func (v *view) promptLengths() (lengths []int) {
	for _, row := range v.rows {
		if p := row.Measured.PromptTokens; single(&row.Measured) && !slices.Contains(lengths, p) {
			lengths = append(lengths, p)
		}
	}
	slices.Sort(lengths)
	return lengths
}

// mean is the mean of the lines of all prompt lengths, in each repetition that has them all.
func (o *outputFit) mean() *Line {
	if len(o.lines) == 0 {
		return nil
	}
	all := make([]int, len(o.b.x))
	for i := range all {
		all[i] = i
	}
	mean := func(y []float64) float64 { return stat.Mean(y, nil) }
	l := &Line{A: o.a.each(mean, all...), B: o.b.each(mean, all...), Straight: true}
	for i := range o.lines {
		l.Levels = max(l.Levels, o.lines[i].Levels)
		l.Worst = max(l.Worst, o.lines[i].Worst)
		l.Straight = l.Straight && o.lines[i].Straight
	}
	return l
}

// besideITL holds the line's slope against the mean ITL of the same cells.
func (v *view) besideITL(l *Line) (text string) {
	itl := v.mean(seqlen, "mean-itl-ns", single)
	name := "mean ITL"
	if itl.N == 0 {
		itl, name = v.mean(seqlen, "p50-itl-ns", single), "median ITL"
	}
	if itl.N == 0 {
		return ""
	}
	off := math.Abs(l.B.Value-itl.Value) / itl.Value
	if off <= agree || l.B.overlaps(itl) {
		return fmt.Sprintf(" The %s, measured between tokens, is %s: they agree within %s %%.", name, itl.duration(""), number(100*max(off, 0.0005)))
	}
	return fmt.Sprintf(" The %s, measured between tokens, is %s: they differ by %s %%, so E2E holds something that grows with the output and is no gap between tokens, or single gaps stand out.", name, itl.duration(""), number(100*off))
}

// contextText says whether tokens cost more after a longer prompt.
func (o *outputFit) contextText() string {
	last := len(o.b.x) - 1
	if last < 1 {
		return " Whether a longer context makes it dearer needs a second prompt length in -prompts."
	}
	dearer := o.b.over(last, 0)
	share := dearer.scaled(100)
	share.Value -= 100
	if share.Low != nil {
		*share.Low -= 100
		*share.High -= 100
	}
	switch {
	case dearer.Low == nil:
		return fmt.Sprintf(" After a prompt of %v tokens it costs %s more than after %v.", o.b.x[last], share.text("%"), o.b.x[0])
	case *dearer.Low > 1:
		return fmt.Sprintf(" A longer context makes it dearer: %s from a prompt of %v to one of %v tokens.", share.text("%"), o.b.x[0], o.b.x[last])
	case *dearer.High < 1:
		return fmt.Sprintf(" A longer context makes it no dearer: %s from a prompt of %v to one of %v tokens.", share.text("%"), o.b.x[0], o.b.x[last])
	}
	return fmt.Sprintf(" A longer context makes no difference that stands out: %s from a prompt of %v to one of %v tokens.", share.text("%"), o.b.x[0], o.b.x[last])
}

// merit compares the two prices: of a prompt token, at the margin of the
// longest prompt if TTFT is bent, and of an output token.
func (v *view) merit(s *Summary) string {
	t, _ := v.ttftOverPrompt()
	if s.Prefill == nil || s.Decode.B.Value <= 0 {
		return ""
	}
	price, where := s.Prefill.B, ""
	if last := len(t.x) - 1; !s.Prefill.Straight {
		price, where = t.segment(last-1), fmt.Sprintf(" between %v and %v tokens", t.x[last-1], t.x[last])
	}
	if price.Value <= 0 || price.holds(0) || price.Low != nil && *price.Low <= 0 {
		return ""
	}
	// The output token's price is known far better, so the interval is that of the prompt token's.
	n := price.under(s.Decode.B.Value)
	return fmt.Sprintf(" One output token costs as much as %s prompt tokens%s.", n.text(""), where)
}

func (o *outputFit) evidence() []string {
	var each []string
	for _, l := range o.lines {
		each = append(each, fmt.Sprintf("%s: %s + %s", count(l.PromptTokens), l.A.duration(""), l.B.duration(" a token")))
	}
	return []string{fmt.Sprintf("%s of single requests over output tokens, by prompt length: %s", o.metric, strings.Join(each, "; "))}
}
