package fleet

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"
)

// grows is the growth, as a share of the arrivals, from which latencies are
// left out: a queue beyond capacity by that much. Less cannot be told from the
// fluctuation of a small fleet's requests in flight.
const grows = 0.04

// Grows reports whether requests came faster than they were served, so that
// latencies and goodput tell the length of the run and nothing of the fleet.
func (o *Outcome) Grows() bool { return o.Growth > grows*o.Offered }

// Write writes points as a table. Rates are requests a second.
func Write(w io.Writer, points []Point) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "replicas\trouter\tload\toffered/s\tserved/s\tTTFT p50, p90, p99\tITL p50, p99\tE2E p50, p99\tgoodput/s\tSLO\tprefix hits\tfullest\tin flight\tpreemptions")
	for _, p := range points {
		latencies := "the queue grows\t\t\t\t"
		if !p.Grows() {
			latencies = fmt.Sprintf("%s, %s, %s\t%s, %s\t%s, %s\t%s\t%s", brief(p.TTFT.P50), brief(p.TTFT.P90), brief(p.TTFT.P99),
				brief(p.ITL.P50), brief(p.ITL.P99), brief(p.E2E.P50), brief(p.E2E.P99), digits(p.Goodput), percent(p.Met))
		}
		fmt.Fprintf(t, "%d\t%s\t%.2f\t%s\t%s\t%s\t%s\t%s x\t%s\t%d\n", p.Replicas, p.Router, p.Load, digits(p.Offered), digits(p.Served),
			latencies, percent(p.HitRate), digits(p.Imbalance), digits(p.InFlight), p.Preemptions)
	}
	return t.Flush()
}

// digits writes v with three significant digits, never in powers of ten.
func digits(v float64) string {
	short, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64)
	if err != nil {
		return "-"
	}
	return strconv.FormatFloat(short, 'f', -1, 64)
}

func percent(share float64) string { return digits(100*share) + " %" }

// brief writes a latency with three significant digits.
func brief(d time.Duration) string {
	if d >= time.Second {
		return digits(d.Seconds()) + " s"
	}
	return digits(d.Seconds()*1e3) + " ms"
}
