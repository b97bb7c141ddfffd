package answers

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// nameSLO is what to do where no row has an SLO.
const nameSLO = "name objectives by -slo, as in -slo=ttft:500ms,itl:50ms"

// A searched is what all searches on one axis found together.
type searched struct {
	Estimate          // its interval is that of the search; where one of its ends is not known, Value is 0
	low, high float64 // 0 and +Inf: not known
	probes    int
	why       []string // the searches' ends, where an end of the interval is not known
}

// searched reads the rows of searches for the highest load; the unit is "req/s" or "batch". Of
// several searches the interval is the span of all of theirs, which holds
// the truth at least as often as each of them.
func (v *view) searched(unit string) (c searched) {
	var found []float64
	c.low, c.high = math.Inf(1), 0
	for _, row := range v.rows {
		m := &row.Measured
		if m.Experiment != capacity || (m.Name == "Capacity/"+Batch) != (unit == Batch) {
			continue
		}
		c.N++
		if x, ok := m.Value("capacity-" + unit); ok {
			found = append(found, x)
		}
		low, _ := m.Value("capacity-low-" + unit)
		high, ok := m.Value("capacity-high-" + unit)
		if !ok {
			high = math.Inf(1)
		}
		probes, _ := m.Value("probes")
		c.low, c.high, c.probes = min(c.low, low), max(c.high, high), c.probes+int(probes)
		for _, l := range m.LeftOut {
			if !slices.Contains(c.why, clean(l.Reason)) {
				c.why = append(c.why, clean(l.Reason))
			}
		}
	}
	if c.N > 0 && len(found) == c.N && c.low > 0 && !math.IsInf(c.high, 1) {
		c.Value, c.Low, c.High = median(found), &c.low, &c.high
	}
	return c
}

// found is the estimate as others may show it; nil if there is none.
func (c searched) found() *Estimate {
	if c.Value == 0 {
		return nil
	}
	return &c.Estimate
}

func served(v *view, s *Summary) Answer {
	a := Answer{ID: "rate", Question: "How many requests a second can it serve within the SLO?", Status: Answered, Figure: "rate-goodput"}
	rate, batch := v.searched("req/s"), v.searched(Batch)
	s.Capacity, s.CapacityBatch = rate.found(), batch.found()
	var text []string
	if rate.N > 0 {
		text = append(text, v.capacityText(rate, "req/s", "at that rate"))
	} else if v.of(arrivals) {
		text = append(text, v.ratesText())
	}
	if batch.N > 0 {
		text = append(text, "In a closed loop, requests in flight: "+v.capacityText(batch, "", "with so many in flight"))
	}
	if SLO(v.run) == "" { // the figure that shows the queue is beside what queueing costs
		a.Figure = ""
	}
	if a.Text = strings.Join(text, " "); a.Text == "" {
		a.Status = NotEnough
		a.Text = "No search ended with an answer, and no rate was measured: repeat BenchmarkCapacity and look at the void rows."
	}
	a.Evidence = slices.Concat(rate.evidence("rate"), batch.evidence("number in flight"), v.sharesEvidence(), v.voids(arrivals))
	return a
}

// capacityText says what searches found.
func (v *view) capacityText(c searched, unit, there string) string {
	share := fmt.Sprintf("%v %% of the requests meet %s", Share(v.run), clean(SLO(v.run)))
	switch {
	case c.Value > 0:
		return fmt.Sprintf("%s, by a search: %s %s.", c.text(unit), there, share)
	case c.low > 0:
		return fmt.Sprintf("%s or more, by a search: %s %s, and no higher load was shown not to hold (%s).", Estimate{Value: c.low, N: c.N}.plain(unit), there, share, strings.Join(c.why, "; "))
	case !math.IsInf(c.high, 1):
		return fmt.Sprintf("Less than %s, by a search: no load was shown at which %s (%s).", Estimate{Value: c.high, N: c.N}.plain(unit), share, strings.Join(c.why, "; "))
	}
	return fmt.Sprintf("The search bounds it on neither side (%s).", strings.Join(c.why, "; "))
}

// plain writes e's value with its unit alone.
func (e Estimate) plain(unit string) string { return strings.TrimSpace(number(e.Value) + " " + unit) }

func (c searched) evidence(what string) []string {
	if c.N == 0 {
		return nil
	}
	line := fmt.Sprintf("%s: %s, %s", what, pluralOf(c.N, "search", "searches"), plural(c.probes, "probe"))
	if c.N > 1 && c.Value > 0 {
		line += "; the value is their median, the interval spans all of theirs"
	}
	return []string{line}
}

func pluralOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}
