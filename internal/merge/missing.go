package merge

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"vllmbench/client"
	"vllmbench/internal/engine"
	"vllmbench/internal/measure"
)

// missing finds what of the load has no whole record.
func (m *merger) missing() error {
	m.lost = slices.Clone(m.Unreadable)
	for _, i := range m.all {
		if i.died != "" {
			m.lost = append(m.lost, i.lost())
		}
	}
	for _, gap := range m.gaps() {
		m.lost = append(m.lost, fmt.Sprintf("the segment %s of the load is missing: there is no record of an instance that had it", gap))
	}
	if n := m.Expect - len(m.all); n > 0 {
		m.lost = append(m.lost, fmt.Sprintf("%d of %d instances are missing: there are records of %s alone", n, m.Expect, names(m.all)))
	}
	if len(m.live()) == 0 {
		return fmt.Errorf("no instance has a whole record: %s", strings.Join(m.lost, "; "))
	}
	return nil
}

// lost says that the instance died.
func (i *instance) lost() string {
	of := ""
	if i.segment != nil {
		of = " (" + i.segment.String() + ")"
	}
	return fmt.Sprintf("%s%s is not in it: %s", i.name, of, i.died)
}

func lostOr(lost []string, otherwise string) string {
	if len(lost) == 0 {
		return otherwise
	}
	return strings.Join(lost, "; ")
}

func names(all []*instance) string {
	var names []string
	for _, i := range all {
		names = append(names, i.name)
	}
	return strings.Join(names, ", ")
}

// A loaded says whether the server had all of the load although not all of it is here.
type loaded struct {
	all bool
	why string
}

// loaded holds what the server counted against what the whole load should be by the
// live instances' part of it. In an open loop arrivals do not depend on what became of
// others, so if all of them came, the live instances' requests are a sample of those
// of the load. If not, they met another load than was asked for, or met it
// only for a time, which no record tells.
func (m *merger) loaded(d engine.Delta) loaded {
	share := m.share()
	var n, prompts, outputs, most float64
	for _, c := range m.cells {
		if !c.parts[0].row.Open() {
			return loaded{false, "in a closed loop, fewer requests were in flight than asked for from when an instance was gone"}
		}
		for _, r := range c.all() {
			n += is(r.Outcome == client.OK)
			prompts, outputs = prompts+float64(r.PromptTokens), outputs+float64(r.OutputTokens)
			most = max(most, float64(max(r.PromptTokens, r.OutputTokens)))
		}
	}
	switch {
	case d.Reset || d.Several || !d.Requests.Known || !d.PromptTokens.Known || !d.GenerationTokens.Known:
		return loaded{false, "the server's counters do not tell how much of the load it had"}
	case share == 0:
		return loaded{false, "the instances name no segments of the load, so it is not known how much is missing"}
	}
	// Each instance has its part to within one request a cell.
	odd := float64(len(m.cells) * len(m.all))
	near := func(got engine.Value, ours, within float64) bool { return math.Abs(got.N-ours/share) <= within/share }
	if near(d.Requests, n, odd) && near(d.PromptTokens, prompts, odd*most) && near(d.GenerationTokens, outputs, odd*most) {
		return loaded{true, fmt.Sprintf("the server counted %.0f requests, the whole load", d.Requests.N)}
	}
	return loaded{false, fmt.Sprintf("the server counted %.0f requests, and the whole load is about %.0f, so which load the others met is not known", d.Requests.N, n/share)}
}

func is(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// leaveOut takes out of the row what its books, or the records that are missing, would have proven.
func (m *merger) leaveOut(row *measure.Row) {
	for _, g := range measure.Groups(m.all[0].Header.Quantiles()) {
		for _, metric := range g.Metrics {
			if m.books.shared != "" && g.Title == "Server" && metric.Of(row) && !told(row, metric.Name) {
				row.LeftOut = append(row.LeftOut, measure.LeftOut{Metric: metric.Name, Rule: "instances", Reason: m.books.shared})
			}
			if why := m.lacks(g.Title, metric.Name); why != "" {
				leave(row, measure.LeftOut{Metric: metric.Name, Rule: "instances", Reason: why})
			}
		}
	}
}

func told(row *measure.Row, metric string) bool {
	_, has := row.Value(metric)
	return has || slices.ContainsFunc(row.LeftOut, func(l measure.LeftOut) bool { return l.Metric == metric })
}

// ofSome are the metrics that the instances' requests that are here prove by themselves, whatever else came to the server.
var ofSome = []string{"p50-late-ns", "p99-late-ns", "new-conn-%"}

// lacks says why the metric cannot be had without the missing records, or "".
func (m *merger) lacks(group, metric string) string {
	if len(m.lost) == 0 || slices.Contains(ofSome, metric) {
		return ""
	}
	switch group {
	case "Latency", "Conversations":
		if m.load.all {
			return ""
		}
		return m.load.why + ": " + strings.Join(m.lost, "; ")
	case "Goodput":
		if m.load.all && metric == "slo-%" {
			return ""
		}
	case "Client":
		if metric != "in-flight" {
			return ""
		}
	}
	return "not all of the load is here: " + strings.Join(m.lost, "; ")
}
