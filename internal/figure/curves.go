package figure

import (
	"fmt"

	"vllmbench/internal/answers"
	"vllmbench/internal/measure"
)

const (
	ofThroughput = "throughput"
	ofSeqLen     = "seqlen"
)

// ms is a nanosecond in the unit of latency axes.
const ms = 1e-6

func batch(c measure.Cell) int { return c.Batch }

const batchLabel = "batch (requests in flight)"

// overBatch are lines of a metric over the batch.
func (m *maker) overBatch(metric string, scale float64) (lines []Line) {
	for i := range m.runs {
		if p := m.points(i, of{experiment: ofThroughput, metric: metric, scale: scale, x: batch}); len(p) > 0 {
			lines = append(lines, Line{Run: i, Role: Data, Label: m.names[i], Points: p})
		}
	}
	return lines
}

func (m *maker) throughput() []Figure {
	f := Figure{ID: "throughput", Title: "At what batch does throughput stop to scale?", Better: "higher",
		Y: Axis{Label: "output tokens (tok/s)"}, Lines: m.overBatch("tok/s", 1)}
	for _, l := range f.Lines {
		if p, ok := ideal(l); ok {
			f.Lines = append(f.Lines, p)
			break // a second ideal line would differ by its first point only
		}
	}
	if c := m.ceiling(); measured(c.Points) {
		f.Lines = append(f.Lines, c)
	}
	for i, s := range m.summaries {
		if s.Knee != nil && s.Knee.Found && s.Knee.Batch.Value > 0 {
			k := s.Knee.Batch
			if k.Low != nil && *k.Low <= 0 { // has no place on a log axis
				k.Low, k.High = nil, nil
			}
			f.Marks = append(f.Marks, Mark{X: k.Value, Low: k.Low, High: k.High, Run: i, Label: fmt.Sprintf("%s: knee at batch %s%s", m.names[i], num(k.Value), interval(k))})
		}
	}
	return m.finish(f, batchLabel, logAxis, ofThroughput, "tok/s")
}

// interval writes the interval of an estimate behind it.
func interval(e answers.Estimate) string {
	if e.Low == nil || e.High == nil {
		return ""
	}
	return fmt.Sprintf(" [%s, %s]", num(*e.Low), num(*e.High))
}

// ideal is what perfect scaling from batch 1 would give.
func ideal(l Line) (Line, bool) {
	var first *Point
	out := Line{Run: -1, Role: Ideal, Label: "perfect scaling"}
	for i := range l.Points {
		p := &l.Points[i]
		if p.X == 1 && p.Void == "" {
			first = p
		}
		if first != nil {
			out.Points = append(out.Points, Point{X: p.X, Y: first.Y * p.X})
		}
	}
	return out, len(out.Points) > 1
}

// ceiling is the throughput at the roofline's least time of a decode step. Rows
// tell it as a share of their mean ITL, so that the product of both is the step.
func (m *maker) ceiling() Line {
	out := Line{Run: -1, Role: Floor, Label: "most by roofline"}
	for i, r := range m.runs {
		steps := map[int]float64{} // seconds, by batch
		for _, row := range r.Rows {
			share, ok := row.Measured.Value("decode-floor-%")
			itl, too := row.Measured.Value("mean-itl-ns")
			if ok && too && row.Measured.Experiment == ofThroughput && len(row.Measured.Void) == 0 && share > 0 && itl > 0 {
				steps[row.Measured.Batch] = share / 100 * itl * 1e-9
			}
		}
		for _, p := range m.points(i, of{experiment: ofThroughput, metric: "tok/s", scale: 1, x: batch}) {
			if s, ok := steps[int(p.X)]; ok {
				out.Points = append(out.Points, Point{X: p.X, Y: p.X / s})
			}
		}
		if len(out.Points) > 0 {
			break // runs on other GPUs are not compared
		}
	}
	return out
}

func (m *maker) energy() []Figure {
	f := Figure{ID: "energy", Title: "What does an output token cost in energy?", Better: "lower",
		Y: Axis{Label: "energy (J/tok)"}, Lines: m.overBatch("J/tok", 1)}
	return m.finish(f, batchLabel, spread, ofThroughput, "J/tok")
}

// queueFrom is the queue time, in milliseconds, from which it is worth a figure.
const queueFrom = 1

func (m *maker) queue() []Figure {
	f := Figure{ID: "queue", Title: "How long do requests wait in the server's queue?", Better: "lower",
		Y: Axis{Label: "mean queue time (ms)"}, Lines: m.overBatch("engine-queue-ns", ms)}
	if !exceeds(f.Lines, queueFrom) {
		return nil
	}
	return m.finish(f, batchLabel, linearAxis, ofThroughput, "engine-queue-ns")
}

func (m *maker) preemptions() []Figure {
	f := Figure{ID: "preemptions", Title: "Does the KV cache run out?", Better: "lower",
		Y: Axis{Label: "preemptions an operation"}, Lines: m.overBatch("preemptions/op", 1)}
	if !exceeds(f.Lines, 0) {
		return nil
	}
	return m.finish(f, batchLabel, linearAxis, ofThroughput, "preemptions/op")
}

func exceeds(lines []Line, limit float64) bool {
	for _, y := range ys(lines) {
		if y > limit {
			return true
		}
	}
	return false
}

// tradeoff is latency over throughput, in the order of the batch.
func (m *maker) tradeoff(id, name string, metrics ...string) []Figure {
	metric := m.metric(ofThroughput, metrics...)
	if metric == "" {
		return nil
	}
	f := Figure{ID: id, Title: "What " + name + " does more throughput cost?", Better: "lower",
		Notes: []string{"numbers at the points: the batch; lines join them in its order"}}
	for i := range m.runs {
		rates := map[float64]Point{}
		for _, p := range m.points(i, of{experiment: ofThroughput, metric: "tok/s", scale: 1, x: batch}) {
			rates[p.X] = p
		}
		var points []Point
		for _, p := range m.points(i, of{experiment: ofThroughput, metric: metric, scale: ms, x: batch}) {
			if rate, ok := rates[p.X]; ok && rate.Void == "" && p.Void == "" {
				p.X, p.Label = rate.Y, "batch "+tick(p.X)
				points = append(points, p)
			}
		}
		if len(points) > 0 {
			f.Lines = append(f.Lines, Line{Run: i, Role: Data, Label: m.names[i], Points: points})
		}
	}
	if len(f.Lines) == 0 {
		return nil
	}
	f.X = linearAxis("output tokens (tok/s, more is better)", xs(f.Lines))
	f.Y = spread(quantity(metric)+" (ms)", ys(f.Lines))
	f.Notes = append(append(f.Notes, m.bars(f.Lines)...), m.voids(ofThroughput, metric)...)
	return []Figure{f}
}

// quantity names a latency metric: "median ITL", "mean TTFT".
func quantity(metric string) string {
	return map[string]string{
		"p50-itl-ns": "median ITL", "p50-ttft-ns": "median TTFT", "mean-ttft-ns": "mean TTFT",
		"p50-tpot-ns": "median TPOT", "mean-tpot-ns": "mean TPOT", "p50-e2e-ns": "median E2E", "mean-e2e-ns": "mean E2E",
	}[metric]
}
