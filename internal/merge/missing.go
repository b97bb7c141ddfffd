package merge

import (
	"fmt"
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

// had says how much of the load reached the server although not all of it is here, "" if that is not known.
func (m *merger) had(d engine.Delta) string {
	share, ours := m.share(), 0
	for _, c := range m.cells {
		if !c.parts[0].row.Open() { // what a stream sends depends on how it is served
			return ""
		}
		for _, r := range c.all() {
			if r.Outcome == client.OK {
				ours++
			}
		}
	}
	if share == 0 || d.Reset || d.Several || !d.Requests.Known {
		return ""
	}
	return fmt.Sprintf("the server counted %.0f requests; by the %d that are here, the whole load is about %.0f", d.Requests.N, ours, float64(ours)/share)
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

// ofSome are the metrics beside the client's own that the requests that are here prove by themselves, whatever else came to the server.
var ofSome = []string{"p50-late-ns", "p99-late-ns", "new-conn-%"}

// lacks says why the metric cannot be had without the missing records, or "".
//
// Latencies are among these. What is here is no fair sample of the load: arrivals of instances that each
// keep an even pace fall into each other's gaps or upon each other, all
// through the load, as the instances happened to begin. Nor is it known for how long the load was whole.
func (m *merger) lacks(group, metric string) string {
	if len(m.lost) == 0 || slices.Contains(ofSome, metric) || group == "Client" && metric != "in-flight" {
		return ""
	}
	return "not all of the load is here: " + strings.Join(m.lost, "; ")
}
