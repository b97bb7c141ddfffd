package measure

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"vllmbench/client"
)

// arrivalMetrics tell what an open loop asked for and whether the server, and the client, kept up.
var arrivalMetrics = []Metric{
	{"offered-req/s", "", true, "arrivals that were due in the window, per second of it"},
	{"served-%", "higher", true, "requests that ended in the window as a share of those that were due in it"},
	{"growth-req/s", "", false, "how fast the number of requests in the system (due and not ended) grew over the window, by a straight line"},
	{"p50-late-ns", "lower", false, "median time from when a request was due to its last byte's sending: the client's own lateness, which is part of the latency"},
	{"p99-late-ns", "lower", true, "99 % quantile of the time from when a request was due to its last byte's sending"},
	{"new-conn-%", "lower", false, "requests due in the window that were sent on a connection opened for them"},
}

func (r *Run) arrivals(t *table, s *sight) {
	sec := r.Window.Length().Seconds()
	if !r.Open() || sec <= 0 {
		return
	}
	t.put("offered-req/s", float64(s.due)/sec, s.due)
	t.put("served-%", 100*share(float64(s.requests), float64(s.due)), s.due)
	t.put("growth-req/s", trend(r.system()).slope/sec, 0)
	t.quantile("p50-late-ns", s.late, 50, r.Limits.of(limitTail))
	t.quantile("p99-late-ns", s.late, 99, r.Limits.of(limitTail))
	fresh := 0.0
	for _, d := range s.connect {
		fresh += one(d > 0)
	}
	t.put("new-conn-%", 100*share(fresh, float64(len(s.connect))), len(s.connect))
}

// parts is how many parts of the window a trend is sought in.
const parts = 10

// system is the mean number of requests in the system, due and not ended, in each part of the window.
func (r *Run) system() []float64 {
	out := make([]float64, parts)
	part := r.Window.Length() / parts
	for _, rs := range r.Streams {
		for i := range rs {
			for k := range out {
				from := r.Window.From + time.Duration(k)*part
				out[k] += share(float64(max(0, min(left(&rs[i]), from+part)-max(rs[i].Intended, from))), float64(part))
			}
		}
	}
	return out
}

// left is when the request left the system.
func left(r *client.Result) time.Duration {
	switch {
	case r.Outcome == client.Dropped:
		return r.Intended
	case len(r.Events) > 0 && r.Outcome == client.OK:
		return r.Events[len(r.Events)-1].At
	}
	return r.End
}

// A course is how values went.
type course struct {
	slope float64 // rise from the first to just behind the last, by a least-squares line
	rises int     // pairs of which the later is greater, less those of which it is smaller: Kendall's S
}

func trend(values []float64) course {
	var c course
	middle := float64(len(values)-1) / 2
	var xy, xx float64
	for i, v := range values {
		x := float64(i) - middle
		xy += x * v
		xx += x * x
		for _, before := range values[:i] {
			c.rises += int(one(v > before)) - int(one(v < before))
		}
	}
	c.slope = share(xy, xx) * float64(len(values))
	return c
}

const (
	// minRises of 45 pairs are reached by 10 independent values in 8 of 1000 cases (Kendall's S, one-sided).
	minRises = 27

	// minGrowth is the growth that a single long request would not make.
	minGrowth = 2
)

// unsteady finds that requests came faster than they were served, so that
// every latency depends on how long one watched.
func (r *Run) unsteady(s *sight) []fault {
	if !r.Open() || r.Varies {
		return nil
	}
	c, limit := trend(r.system()), r.Limits.of(limitGrowth)
	if c.rises < minRises || c.slope < minGrowth || c.slope <= limit*float64(s.due) {
		return nil
	}
	return []fault{{ruleGrowth, fmt.Sprintf("the queue grew by %.0f requests over the window, which is %.1f %% of the arrivals, over %g %%: there is no steady state at this rate",
		c.slope, 100*share(c.slope, float64(s.due)), 100*limit)}}
}

// maxMisjudged is the share of requests whose verdict by the SLO may be the client's lateness.
const maxMisjudged = 0.01

// lateArrivals finds figures that the client made by sending late, for want of a
// processor or of a connection. Had it sent each request in time, each latency would
// lie between that from when the request was due and that from its sending.
func (r *Run) lateArrivals(s *sight) (out []fault) {
	if !r.Open() || len(s.late) == 0 {
		return nil
	}
	limit := r.Limits.of(limitLate)
	add := func(metric string, late, own float64) {
		if late-own <= limit*late {
			return
		}
		rule := *ruleLate
		rule.touches = func(m string) bool { return m == metric }
		out = append(out, fault{&rule, fmt.Sprintf("requests that the client sent late are %.1f %% of it, over %g %%", 100*(late-own)/late, 100*limit)})
	}
	for _, l := range []struct {
		name      string
		late, own sample
	}{{"ttft", s.ttft, s.ttftSent}, {"e2e", s.e2e, s.e2eSent}} {
		if len(l.late) == 0 {
			continue
		}
		for _, q := range r.Quantiles {
			add(fmt.Sprintf("p%d-%s-ns", q, l.name), float64(l.late.quantile(q)), float64(l.own.quantile(q)))
		}
		add("mean-"+l.name+"-ns", l.late.mean(), l.own.mean())
	}
	if lost := share(float64(s.metSent-s.met), float64(s.due)); lost > maxMisjudged {
		rule := *ruleLate
		rule.touches = OfSLO
		out = append(out, fault{&rule, fmt.Sprintf("%.1f %% of the requests missed the SLO because the client sent them late, over %g %%", 100*lost, 100*maxMisjudged)})
	}
	return out
}

// steadied are the metrics that no window of an unsteady load can tell.
func steadied(metric string) bool {
	return strings.HasSuffix(metric, "-ttft-ns") || strings.HasSuffix(metric, "-itl-ns") || strings.HasSuffix(metric, "-tpot-ns") || e2es(metric) || OfSLO(metric)
}

// OfArrivals says whether only rows of open loops have the metric.
func OfArrivals(metric string) bool {
	return slices.ContainsFunc(arrivalMetrics, func(m Metric) bool { return m.Name == metric })
}

// waits are the metrics that count from when a request was due.
func waits(metric string) bool {
	return ttfts(metric) && !ofServer(metric) || e2es(metric) || OfSLO(metric)
}
