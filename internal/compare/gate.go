package compare

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Gate is how much worse a metric may become.
type Gate struct {
	Metric string
	Limit  float64 // a share: 0.03 is 3 %
}

// ParseGates reads "tok/s:3%,p99-ttft-ns:5%". A limit of 0 % lets nothing become worse.
func ParseGates(text string) ([]Gate, error) {
	var gates []Gate
	seen := map[string]bool{}
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		i := strings.LastIndexByte(part, ':')
		limit, percent := strings.CutSuffix(part[i+1:], "%")
		value, err := strconv.ParseFloat(strings.TrimSpace(limit), 64)
		if i <= 0 || !percent || err != nil || !(value >= 0 && value < 100) {
			return nil, fmt.Errorf("gate %q is none: write a metric and by how many percent it may become worse, below 100, as in tok/s:3%%", part)
		}
		if seen[part[:i]] {
			return nil, fmt.Errorf("there are two gates on %s: name one", part[:i])
		}
		seen[part[:i]] = true
		gates = append(gates, Gate{part[:i], value / 100})
	}
	return gates, nil
}

// bound is the gate's edge as the logarithm of new/old.
func (t *Table) bound() float64 {
	switch {
	case !t.Gated:
		return 0
	case t.Better == "higher":
		return math.Log1p(-t.Gate)
	default:
		return math.Log1p(t.Gate)
	}
}

// verdict is what an outcome says of the table's gate.
func (t *Table) verdict(o outcome) string {
	worse, inside := o.above, o.below
	if t.Better == "higher" {
		worse, inside = o.below, o.above
	}
	switch {
	case worse:
		return Fail
	case inside:
		return Pass
	}
	return Inconclusive
}

// judge sums up the verdicts on all lines.
func (r *Report) judge() {
	if r.gates == 0 {
		return
	}
	r.Verdicts = map[string]int{}
	for i := range r.Metrics {
		t := &r.Metrics[i]
		for _, l := range t.lines() {
			if l.Verdict == "" {
				continue
			}
			r.Verdicts[l.Verdict]++
			switch {
			case l.Verdict != Inconclusive:
			case l.Needed == 0:
				r.NotCompared++
			case l.Needed > mostSuggested && l.Unchanged > mostSuggested && t.Gate > 0:
				r.Noisy++
			case l.Needed > mostSuggested:
				r.AtEdge++
			default:
				r.Count = max(r.Count, l.Needed)
			}
		}
	}
	switch {
	case r.Verdicts[Fail] > 0:
		r.Verdict = Fail
	case r.Verdicts[Inconclusive] > 0 || r.Verdicts[Pass] == 0:
		r.Verdict = Inconclusive
	default:
		r.Verdict = Pass
	}
}

// lines are those of the benchmarks, then that of the geometric mean.
func (t *Table) lines() []*Line {
	var out []*Line
	for i := range t.Lines {
		out = append(out, &t.Lines[i])
	}
	if t.Geomean != nil {
		out = append(out, t.Geomean)
	}
	return out
}
