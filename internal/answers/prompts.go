package answers

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"vllmbench/internal/measure"
)

// flatRise is the rise of TTFT over the shortest prompt's that counts as none.
const flatRise = 0.1

func prompts(v *view, s *Summary) Answer {
	a := Answer{ID: "prompt", Question: "Does a twice longer prompt take twice as long, and what does a prompt token cost?", Status: NotEnough, Figure: "ttft-prompt"}
	t, metric := v.ttftOverPrompt()
	a.Evidence = v.voids(seqlen)
	if len(t.x) < 2 {
		a.Text = fmt.Sprintf("TTFT of single requests is known for %s, and the cost of a token needs 2 or more, better 4: run BenchmarkSeqLen with -prompts=10,50,200,1000.", plural(len(t.x), "prompt length"))
		return a
	}
	if s.Prefill = fitLine(t); s.Prefill == nil {
		a.Text = "No repetition has a valid TTFT at two prompt lengths: repeat BenchmarkSeqLen and look at the void rows."
		return a
	}
	a.Status = Answered
	if s.Prefill.Straight {
		a.Text = straightPrompt(s.Prefill, t)
	} else {
		a.Text = bentPrompt(t)
	}
	a.Text += " " + doubling(s.Prefill, t)
	a.Evidence = append(v.promptEvidence(t, s.Prefill, metric), a.Evidence...)
	return a
}

// ttftOverPrompt is the TTFT of single requests, outputs pooled: they come later.
func (v *view) ttftOverPrompt() (s series, metric string) {
	metric = v.has(seqlen, "mean-ttft-ns", "p50-ttft-ns")
	return v.series(func(r *measure.Row) (x, y float64, ok bool) {
		y, ok = r.Value(metric)
		return float64(r.PromptTokens), y, ok && r.Experiment == seqlen && r.Batch == 1
	}), metric
}

func straightPrompt(l *Line, t series) string {
	first, last := t.x[0], t.x[len(t.x)-1]
	if l.B.holds(0) || l.B.Value <= 0 {
		return fmt.Sprintf("From %v to %v tokens the length of the prompt makes no difference that stands out: a token costs %s, and any request waits %s.", first, last, l.B.duration(" a token"), l.A.duration(""))
	}
	text := fmt.Sprintf("A prompt token costs %s, on top of %s that every request pays", l.B.duration(""), l.A.duration(""))
	if l.Levels == 2 {
		return text + fmt.Sprintf(": through %v and %v tokens, of which nobody can say whether they are on a straight line. A third length in -prompts would.", first, last)
	}
	return text + fmt.Sprintf("; that is a straight line from %v to %v tokens, %s.", first, last, l.offBy())
}

// bentPrompt says how TTFT bends: where it is flat, and what a token costs between the other levels.
func bentPrompt(t series) string {
	last := len(t.x) - 1
	flat := 0
	for i := 1; i <= last && t.at(i).Value <= (1+flatRise)*t.at(0).Value; i++ {
		flat = i
	}
	var b strings.Builder
	fmt.Fprintf(&b, "TTFT is no straight line over the prompt.")
	switch {
	case flat == last:
		fmt.Fprintf(&b, " It stays within %v %% of %s from %v to %v tokens, so a token costs next to nothing there: add longer ones to -prompts.", 100*flatRise, t.at(0).duration(""), t.x[0], t.x[last])
		return b.String()
	case flat > 0:
		fmt.Fprintf(&b, " It is %s at %v tokens and still %s at %v.", t.at(0).duration(""), t.x[0], t.at(flat).duration(""), t.x[flat])
	default:
		fmt.Fprintf(&b, " It is %s at %v tokens.", t.at(0).duration(""), t.x[0])
	}
	var costs []string
	for i := flat; i < last; i++ {
		cost := t.segment(i)
		nothing := ""
		if cost.holds(0) {
			nothing = "nothing that stands out, "
		}
		costs = append(costs, fmt.Sprintf("%s%s from %v to %v tokens", nothing, cost.duration(""), t.x[i], t.x[i+1]))
	}
	fmt.Fprintf(&b, " A prompt token costs %s.", strings.Join(costs, ", then "))
	return b.String()
}

// segment is the slope from level i to the next.
func (s series) segment(i int) Estimate {
	run := s.x[i+1] - s.x[i]
	return s.each(func(y []float64) float64 { return (y[1] - y[0]) / run }, i, i+1)
}

// doubling says what the longest prompt takes against one of half its length:
// as measured if that was measured, else by the line if it is one, else between
// the levels around it.
func doubling(l *Line, t series) string {
	last := len(t.x) - 1
	whole, half := t.x[last], t.x[last]/2
	if half < t.x[0] {
		return fmt.Sprintf("The lengths are too near to each other to see a doubling: %v instead of %v tokens takes %s.", whole, t.x[0], t.over(last, 0).ratio())
	}
	var factor Estimate
	by := "measured"
	if i := t.find(half); i >= 0 {
		factor = t.over(last, i)
	} else if l.Straight {
		factor, by = t.doublingByLine(half), "by the fit"
	} else {
		factor, by = t.doublingBetween(half), fmt.Sprintf("%v tokens interpolated", half)
	}
	says := "Twice the prompt is not twice the time"
	if factor.holds(2) || math.Abs(factor.Value-2) <= 2*straightEnough {
		says = "Twice the prompt takes twice the time"
	} else if factor.Value > 2 {
		says = "Twice the prompt takes more than twice the time"
	}
	return fmt.Sprintf("%s: from %v to %v tokens it is %s (%s).", says, half, whole, factor.ratio(), by)
}

func (s series) doublingByLine(half float64) Estimate {
	a, b := s.lines()
	factors := make([]float64, len(a))
	for i := range a {
		factors[i] = (a[i] + 2*b[i]*half) / (a[i] + b[i]*half)
	}
	return estimate(factors)
}

func (s series) doublingBetween(half float64) Estimate {
	last := len(s.x) - 1
	i := last - 1
	for s.x[i] > half {
		i--
	}
	share := (half - s.x[i]) / (s.x[i+1] - s.x[i])
	return s.each(func(y []float64) float64 { return y[2] / (y[0] + share*(y[1]-y[0])) }, i, i+1, last)
}

func (v *view) promptEvidence(t series, l *Line, metric string) []string {
	var levels, ratios []string
	for i, x := range t.x {
		levels = append(levels, fmt.Sprintf("%v tokens: %s", x, t.at(i).duration("")))
		if i > 0 {
			ratios = append(ratios, fmt.Sprintf("%v to %v tokens (%s): %s", t.x[i-1], x, times(x/t.x[i-1]), t.over(i, i-1).ratio()))
		}
	}
	lines := []string{
		fmt.Sprintf("%s of single requests, over %s, outputs pooled: %s", metric, plural(len(t.y), "repetition"), strings.Join(levels, "; ")),
		"measured ratios: " + strings.Join(ratios, "; "),
		fmt.Sprintf("line through all levels: %s + %s, off by %s %% at most", l.A.duration(""), l.B.duration(" a token"), number(100*l.Worst)),
	}
	if graph := float64(v.config.Config.Compilation.MaxGraph); graph > 0 && !l.Straight {
		i, _ := slices.BinarySearch(t.x, graph+1)
		if i > 0 && i < len(t.x) {
			lines = append(lines, fmt.Sprintf("the server has CUDA graphs for up to %v tokens (max_cudagraph_capture_size): prompts of %v tokens and more run without them", graph, t.x[i]))
		}
	}
	return lines
}
