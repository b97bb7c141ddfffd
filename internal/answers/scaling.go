package answers

import (
	"fmt"
	"math"
	"strings"

	"vllmbench/internal/measure"
)

// inProportion is the exponent from which growth is called proportional:
// doubling the batch brings at least 1.87 times the throughput.
const inProportion = 0.9

// fitsWell is the root mean square, in logs, within which a gradual loss
// describes the throughput: 3 %, as for straight lines.
const fitsWell = straightEnough

func scaling(v *view, s *Summary) Answer {
	a := Answer{ID: "scaling", Question: "At what batch does scaling slow down?", Status: NotEnough, Figure: "throughput"}
	t := v.batches("tok/s")
	s.Knee = fitKnee(t)
	a.Evidence = v.scalingEvidence(t)
	switch {
	case s.Knee == nil && len(t.x) >= kneeLevels:
		a.Text = "No repetition has a valid throughput at every batch, so no knee can be fitted: repeat BenchmarkThroughput and look at the void rows."
		return a
	case s.Knee == nil:
		a.Text = fmt.Sprintf("The throughput of %s is known, and a knee needs %d or more: run BenchmarkThroughput with -batches=1,4,8,16,32.", plural(len(t.x), "batch size"), kneeLevels)
		return a
	}
	a.Status = Answered
	if s.Knee.Found {
		a.Text = v.kneeText(s.Knee, t)
	} else {
		a.Text = v.gradualText(t)
	}
	a.Text += v.ttftOverBatch(s.Knee)
	return a
}

func (v *view) kneeText(k *Knee, t series) string {
	var b strings.Builder
	before := "in proportion"
	if k.Before.Value < inProportion {
		before = "with the exponent " + exponent(k.Before)
	}
	after := "more slowly"
	switch {
	case k.After.Value < 0.05:
		after = "not at all"
	case k.After.Value < 0.25:
		after = "hardly"
	}
	fmt.Fprintf(&b, "Throughput grows %s up to batch %s, then %s (exponent %s, after %s)", before, k.Batch.text(""), after, exponent(k.After), exponent(k.Before))
	largest := t.x[len(t.x)-1]
	if seqs, ok := v.setting("max-num-seqs"); ok && v.oneStep(t, k.Batch.Value, float64(seqs)) {
		fmt.Fprintf(&b, ": the server runs %s at once (max-num-seqs=%d)", plural(seqs, "sequence"), seqs)
		if q := v.batches("engine-queue-ns"); q.find(largest) >= 0 {
			fmt.Fprintf(&b, ", and requests wait %s for their turn at batch %v", q.at(q.find(largest)).duration(""), largest)
		}
	}
	b.WriteString(".")
	if k.Before.Value < inProportion && k.Batch.Value <= t.x[1]*(1+hingeStep) {
		fmt.Fprintf(&b, " It may lie before batch %v, the second that was measured: add smaller ones to -batches.", t.x[1])
	}
	fmt.Fprintf(&b, " At batch %v it is %s of proportional.", largest, v.efficiency(t, len(t.x)-1).text("%"))
	return b.String()
}

// exponent writes two decimals: a third says nothing of how a server scales.
func exponent(e Estimate) string {
	if e.Low == nil {
		return fmt.Sprintf("%s (n=%d)", fixed(e.Value, 2), e.N)
	}
	return fmt.Sprintf("%s [%s, %s]", fixed(e.Value, 2), fixed(*e.Low, 2), fixed(*e.High, 2))
}

// oneStep says whether no measured batch lies between a and b.
func (v *view) oneStep(t series, a, b float64) bool {
	low, high := min(a, b)*(1+hingeStep), max(a, b)*(1-hingeStep)
	for _, x := range t.x {
		if low < x && x < high {
			return false
		}
	}
	return true
}

func (v *view) gradualText(t series) string {
	last := len(t.x) - 1
	largest := t.x[last]
	e := v.efficiency(t, last)
	var b strings.Builder
	fmt.Fprintf(&b, "No knee up to batch %v: try -batches=%v,%v,%v.", largest, largest, 2*largest, 4*largest)
	if e.Value >= 97 || e.holds(100) {
		fmt.Fprintf(&b, " Throughput grows in proportion, to %s (%s of proportional).", t.at(last).text("tok/s"), e.text("%"))
		return b.String()
	}
	fmt.Fprintf(&b, " Scaling is lost gradually: batch %v brings %s, which is %s of what batch %v promises.", largest, t.at(last).text("tok/s"), e.text("%"), t.x[0])
	if each, ok := v.lossEach(t); ok {
		fmt.Fprintf(&b, " Each further request adds %s to the time that a single one takes", each.text("%"))
		if half := 1 + 100/each.Value; half > largest {
			fmt.Fprintf(&b, "; if that goes on beyond what was measured, half is lost at batch %s", count(int(math.Round(half))))
		}
		b.WriteString(".")
	}
	return b.String()
}

// lossEach is by how much each further request lengthens the time of all, in
// percent of the time at batch 1; false if the loss is of another shape.
func (v *view) lossEach(t series) (Estimate, bool) {
	var each []float64
	for _, y := range t.y {
		if p := logs(t.x, y); len(p.x) == len(t.x) {
			g := fitGradual(p)
			each = append(each, 100*g.each/(g.base+g.each))
		}
	}
	medians := make([]float64, len(t.x))
	for i := range t.x {
		medians[i] = median(t.values(i))
	}
	g := fitGradual(logs(t.x, medians))
	e := estimate(each)
	return e, math.Sqrt(g.squares/float64(len(t.x))) <= fitsWell && e.Value > 0
}

// efficiency is throughput over what the smallest batch promises, in percent.
func (v *view) efficiency(t series, i int) Estimate {
	return t.over(i, 0).scaled(100 * t.x[0] / t.x[i])
}

// ttftOverBatch says what TTFT does where throughput bends, or over all batches.
func (v *view) ttftOverBatch(k *Knee) string {
	f := v.batches(v.has(throughput, "mean-ttft-ns", "p50-ttft-ns"))
	if len(f.x) < 2 {
		return ""
	}
	from, to := 0, len(f.x)-1
	if k.Found {
		off := func(i int) float64 { return math.Abs(math.Log(f.x[i] / k.Batch.Value)) }
		for i := range f.x[:to] { // the batch next to the knee that has one beyond it
			if off(i) < off(from) {
				from = i
			}
		}
		to = from + 1
	}
	text := fmt.Sprintf(" TTFT goes from %s at batch %v to %s at batch %v (%s)", f.at(from).duration(""), f.x[from], f.at(to).duration(""), f.x[to], f.over(to, from).ratio())
	q := v.batches("engine-queue-ns")
	i := q.find(f.x[to])
	if i < 0 {
		return text + "."
	}
	queue, share := q.at(i), v.queueShare(f.x[to])
	if share.Value >= queueMatters {
		return fmt.Sprintf("%s, of which %s is the server's queue.", text, queue.duration(""))
	}
	text = fmt.Sprintf("%s, of which the server's queue is only %s", text, queue.duration(""))
	if p := v.batches("engine-prefill-ns"); p.find(f.x[to]) >= 0 {
		text = fmt.Sprintf("%s and its prefill %s", text, p.at(p.find(f.x[to])).duration(""))
	}
	return text + "."
}

// queueShare is the time in the server's queue as a share of TTFT.
func (v *view) queueShare(batch float64) Estimate {
	s := v.series(func(r *measure.Row) (x, y float64, ok bool) {
		queue, ok := r.Value("engine-queue-ns")
		ttft, also := r.Value("mean-ttft-ns")
		if !also {
			ttft, also = r.Value("p50-ttft-ns")
		}
		return float64(r.Batch), queue / ttft, ok && also && r.Experiment == throughput
	})
	if i := s.find(batch); i >= 0 {
		return s.at(i)
	}
	return Estimate{}
}

func (v *view) scalingEvidence(t series) (lines []string) {
	if len(t.x) == 0 {
		return v.voids(throughput)
	}
	var levels, shares []string
	for i, x := range t.x {
		levels = append(levels, fmt.Sprintf("%v: %s", x, t.at(i).text("")))
		if i > 0 {
			shares = append(shares, fmt.Sprintf("%v: %s", x, v.efficiency(t, i).text("")))
		}
	}
	lines = append(lines, fmt.Sprintf("tok/s by batch, over %s: %s", plural(len(t.y), "repetition"), strings.Join(levels, "; ")))
	if len(shares) > 0 {
		lines = append(lines, fmt.Sprintf("%% of proportional by batch: %s", strings.Join(shares, "; ")))
	}
	return append(lines, v.voids(throughput)...)
}
