package measure

import (
	"fmt"
	"slices"
	"strings"
)

// A table fills a row's metrics, leaving out those that a fault touches.
type table struct {
	row    *Row
	faults []fault
}

// put says whether the metric is in the row.
func (t *table) put(metric string, value float64, n int) bool {
	for _, f := range t.faults {
		if f.touches(metric) {
			t.leave(metric, f.Rule, f.reason)
			return false
		}
	}
	t.row.Values = append(t.row.Values, Value{metric, value, n})
	return true
}

func (t *table) leave(metric string, rule *Rule, reason string) {
	t.row.LeftOut = append(t.row.LeftOut, LeftOut{metric, rule.Name, reason})
}

func (t *table) quantile(metric string, s sample, q int, tail float64) {
	if need := needs(q, tail); len(s) < need {
		t.leave(metric, ruleSamples, fmt.Sprintf("%d samples, of the %d that bound it", len(s), need))
		return
	}
	t.put(metric, float64(s.quantile(q)), len(s))
}

// order sorts the row's metrics as the table of all metrics has them.
func (t *table) order(quantiles []int) {
	place := map[string]int{}
	for i, m := range Metrics(quantiles) {
		place[m.Name] = i
	}
	slices.SortStableFunc(t.row.Values, func(a, b Value) int { return place[a.Metric] - place[b.Metric] })
	slices.SortStableFunc(t.row.LeftOut, func(a, b LeftOut) int { return place[a.Metric] - place[b.Metric] })
}

// upperQuantile says whether metric is a quantile that samples must bound.
func upperQuantile(metric string) bool {
	var q int
	_, err := fmt.Sscanf(metric, "p%d-", &q)
	return err == nil && needs(q, 1) > 1
}

func throughputs(metric string) bool {
	return metric == "tok/s" || metric == "total-tok/s" || metric == "req/s"
}

func ofServer(metric string) bool {
	return slices.ContainsFunc(serverMetrics, func(m Metric) bool { return m.Name == metric })
}

func ttfts(metric string) bool { return strings.HasSuffix(metric, "-ttft-ns") }

// phased are the metrics that depend on when in a step a request comes: the
// TTFTs, the server's own too, but not what lies between them; and the longer
// of the gaps, in which other requests' prefills are.
func phased(metric string) bool {
	return ttfts(metric) && metric != "egress-ttft-ns" || gaps(metric) && upperQuantile(metric)
}

func e2es(metric string) bool { return strings.HasSuffix(metric, "-e2e-ns") }

// firsts are the metrics that the first token's stamp enters. The kernel
// gives bytes that are read together the stamp of the last of them, so the
// last token's stamp is right, and E2E with it.
func firsts(metric string) bool {
	return ttfts(metric) && metric != "engine-ttft-ns" || strings.HasSuffix(metric, "-tpot-ns") || metric == "mean-itl-ns"
}

func gaps(metric string) bool {
	return strings.HasSuffix(metric, "-itl-ns") && metric != "engine-itl-ns"
}

// gapQuantiles are the metrics that merged stamps distort: a sum of gaps
// does not change when the times between them move.
func gapQuantiles(metric string) bool { return gaps(metric) && metric != "mean-itl-ns" }
