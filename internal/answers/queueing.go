package answers

import (
	"fmt"
	"slices"
	"strings"

	"vllmbench/internal/measure"
)

// overRate is a metric of the steady rates, by repetition.
func (v *view) overRate(metric string) series {
	steady := map[measure.Cell]bool{}
	for _, l := range Loads(v.run, arrivals, Rate, metric) {
		steady[l.Cell] = l.N > 0
	}
	return v.series(func(r *measure.Row) (x, y float64, ok bool) {
		y, ok = r.Value(metric)
		return r.Rate, y, ok && steady[r.Cell]
	})
}

func queueing(v *view, _ *Summary) Answer {
	a := Answer{ID: "queueing", Question: "What does queueing cost?", Status: NotEnough, Figure: "rate-ttft"}
	t, name := v.overRate("p50-ttft-ns"), "median"
	if len(t.x) < 2 {
		if mean := v.overRate("mean-ttft-ns"); len(mean.x) > len(t.x) {
			t, name = mean, "mean"
		}
	}
	a.Evidence = slices.Concat(v.latencyByRate(), v.voids(arrivals))
	if len(t.x) < 2 {
		a.Text = fmt.Sprintf("TTFT is known at %s in a steady state, and a cost needs 2 or more: run BenchmarkArrivals with lower -rates.", plural(len(t.x), "rate"))
		return a
	}
	a.Status = Answered
	last := len(t.x) - 1
	a.Text = fmt.Sprintf("At %v req/s, the highest steady rate, the %s TTFT is %s, %s the %s at %v req/s.",
		t.x[last], name, t.at(last).duration(""), t.over(last, 0).ratio(), t.at(0).duration(""), t.x[0])
	for _, tail := range []string{"p99", "p90"} {
		q := v.overRate(tail + "-ttft-ns")
		if i, j := q.find(t.x[0]), q.find(t.x[last]); i >= 0 && j >= 0 {
			a.Text += fmt.Sprintf(" Its %s rises from %s to %s.", tail, q.at(i).duration(""), q.at(j).duration(""))
			break
		}
	}
	q := v.overRate("engine-queue-ns")
	if j := q.find(t.x[last]); j >= 0 {
		a.Text += fmt.Sprintf(" A request stands %s in the server's queue there on average", q.at(j).duration(""))
		if i := q.find(t.x[0]); i >= 0 {
			a.Text += fmt.Sprintf(", %s at %v req/s", q.at(i).duration(""), t.x[0])
		}
		a.Text += "."
	}
	return a
}

// latencyByRate lists the quantiles of TTFT at each rate, as far as they are proven.
func (v *view) latencyByRate() (lines []string) {
	for _, q := range []string{"p50", "p90", "p99"} {
		s := v.overRate(q + "-ttft-ns")
		var parts []string
		for i, x := range s.x {
			parts = append(parts, fmt.Sprintf("%v req/s: %s", x, s.at(i).duration("")))
		}
		if len(parts) > 0 {
			lines = append(lines, fmt.Sprintf("%s of TTFT, from when requests were due: %s", q, strings.Join(parts, "; ")))
		}
	}
	return lines
}
