package measure

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Names of the limits.
const (
	limitErrors     = "errors"
	limitTurnaround = "turnaround"
	limitPhase      = "phase"
	limitCPU        = "cpu"
	limitMerged     = "merged"
	limitLag        = "lag"
	limitTail       = "tail"
	limitGrowth     = "growth"
	limitLate       = "late"
)

// limits are the thresholds of the void rules, each with its reason.
var limits = []struct {
	name  string
	value float64
	why   string
}{
	{limitErrors, 0, "requests of a row that may fail: a number from a partly failed run is not a number"},
	{limitTurnaround, 0.02, "share of E2E that a stream may stand still between its requests: beyond it the throughput is the client's"},
	{limitPhase, 0.05, "share of the TTFT that a stream may stand still between its requests beside other streams: what comes later in a step waits less for its end"},
	{limitCPU, 0.7, "share of its processors that the client may use: queueing on the client grows steeply from there"},
	{limitMerged, 0.01, "share of events under one stamp with the one before, beyond which a p99 of the gaps is made of them; of first tokens that have the second one's stamp, and of tokens without an event of their own"},
	{limitLag, 0.05, "share of the median ITL that the client's p99 lag may reach under user stamps: there lag is part of every gap"},
	{limitGrowth, 0.02, "share of an open loop's arrivals by which the requests in the system may grow over the window, where that growth is no chance: beyond it there is no steady state, and no latency"},
	{limitLate, 0.05, "share of a latency that may come from an open loop's requests that the client sent late, connections it had to open included"},
	{limitTail, 10, "samples that must lie beyond a quantile above the median: with fewer it is one or two odd values"},
}

// Limits are the thresholds of the void rules. The zero value is the defaults.
type Limits struct{ set map[string]float64 }

func (l Limits) of(name string) float64 {
	if v, ok := l.set[name]; ok {
		return v
	}
	for _, d := range limits {
		if d.name == name {
			return d.value
		}
	}
	panic("measure: no limit " + name)
}

// MaxErrors is the number of requests of a row that may fail.
func (l Limits) MaxErrors() int { return int(l.of(limitErrors)) }

// String lists what differs from the defaults, in Set's form.
func (l Limits) String() string {
	var s []string
	for _, d := range limits {
		if v, ok := l.set[d.name]; ok {
			s = append(s, fmt.Sprintf("%s=%v", d.name, v))
		}
	}
	return strings.Join(s, ",")
}

const noLimit = 1e9 // nothing comes near it, and an int holds it

// Set changes limits, written as "turnaround=0.05,errors=3".
func (l *Limits) Set(s string) error {
	set := map[string]float64{}
	for part := range strings.SplitSeq(s, ",") {
		name, text, _ := strings.Cut(part, "=")
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || !(v >= 0 && v <= noLimit) {
			return fmt.Errorf("%q is not of the form NAME=NUMBER, with a number of 0 to %d", part, int(noLimit))
		}
		if !known(name) {
			return fmt.Errorf("there is no limit %q: -explain lists them", name)
		}
		set[name] = v
	}
	l.set = set
	return nil
}

func known(name string) bool {
	for _, d := range limits {
		if d.name == name {
			return true
		}
	}
	return false
}

// Explain writes each limit with its reason, and each metric with its definition.
func (l Limits) Explain(w io.Writer, quantiles []int) {
	fmt.Fprintln(w, "Limits (change one by -limits NAME=NUMBER):")
	for _, d := range limits {
		fmt.Fprintf(w, "  %-12s %-6v %s\n", d.name, l.of(d.name), d.why)
	}
	fmt.Fprintln(w, "Metrics (* on the benchmark line; the others by -metrics all):")
	for _, m := range Metrics(quantiles) {
		mark := " "
		if m.Default {
			mark = "*"
		}
		fmt.Fprintf(w, "%s %-18s %-7s %s\n", mark, m.Name, m.Better, m.Doc)
	}
}
