package bench

import (
	"flag"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"vllmbench/internal/measure"
)

// sizing is what the flags of BenchmarkCapacity say.
var sizing struct {
	share    float64 // percent
	probes   int
	window   string
	requests int           // of a window
	length   time.Duration // of a window, at least
}

func init() {
	z := &sizing
	flag.Float64Var(&z.share, "slo-share", 95, "`percent` of the requests that must meet -slo in the long run, for BenchmarkCapacity")
	flag.IntVar(&z.probes, "probes", 30, "most `windows` of a search of BenchmarkCapacity")
	flag.StringVar(&z.window, "probe-window", "20s", "`length` of each window of BenchmarkCapacity: a time, or requests as in 400x")
	e := &extra{
		name: "Capacity", flags: []string{"slo-share", "probes", "probe-window"}, open: true,
		cells: func() []measure.Cell { return nil }, // the search decides
		says: func() []string {
			return []string{fmt.Sprintf("capacity: the highest load at which %g %% of the requests meet %v; at most %d probes of %s each, %s arrivals, seed %d; latency counts from when a request was due",
				z.share, flags.slo, z.probes, z.window, burstiness(), flags.seed)}
		},
	}
	e.check = func() error {
		if !e.chosen() {
			return nil
		}
		return checkCapacity()
	}
	extras = append(extras, e)
}

// minProbe is how many requests a window holds at least, however long that takes.
const minProbe = 20

// BenchmarkCapacity searches for the highest load at which -slo holds for
// -slo-share of the requests: of an open loop the rate, of a closed one the
// number of requests in flight. One operation is one search.
func BenchmarkCapacity(b *testing.B) {
	s := asked(b)
	c := measure.Cell{Experiment: "probe", Name: "Capacity", PromptTokens: flags.prompt, OutputTokens: flags.output}
	if s.skip(c) {
		return
	}
	for _, axis := range []string{"rate", "batch"} {
		h := &hunt{session: s, axis: axis, cell: c}
		answer := ""
		b.Run(axis, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				if i == 0 { // the search is all operations
					answer = h.seek(b)
				}
			}
			b.ReportMetric(0, "ns/op") // it would be the search's length
		})
		if answer != "" {
			fmt.Printf("# capacity: %s: %s\n", axis, answer)
		}
	}
}

func checkCapacity() (err error) {
	z := &sizing
	if n, ok := strings.CutSuffix(z.window, "x"); ok {
		z.requests, err = strconv.Atoi(n)
	} else {
		z.requests = minProbe
		z.length, err = time.ParseDuration(z.window)
	}
	switch {
	case flags.slo.Zero():
		return fmt.Errorf("BenchmarkCapacity needs objectives: name them, as in -slo=ttft:500ms,itl:50ms,e2e:10s")
	case !(z.share > 0 && z.share < 100):
		return fmt.Errorf("-slo-share is %g: name a percentage between 0 and 100", z.share)
	case z.probes < 1:
		return fmt.Errorf("-probes is %d: name 1 or more windows", z.probes)
	case err != nil || z.requests < minProbe || z.length < 0:
		return fmt.Errorf("-probe-window is %q: name a time, as in 20s, or at least %d requests, as in 400x", z.window, minProbe)
	case flags.inFlightMax < 1:
		return fmt.Errorf("-in-flight-max is %d: name 1 or more requests", flags.inFlightMax)
	}
	return nil
}
