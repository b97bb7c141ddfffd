package bench

import (
	"flag"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"vllmbench/internal/measure"
)

// An extra is an experiment beside the four that -bench=. means. It runs when
// -bench names it, or a flag of its own does.
type extra struct {
	name  string   // without "Benchmark"
	flags []string // that choose it
	open  bool     // it sends by a schedule, and so may need -in-flight-max connections

	check func() error          // looks at its flags
	cells func() []measure.Cell // for the line on the terminal, as far as they are known beforehand
	says  func() []string       // for the header: what none of its lines' names tells

	shows   func() []string // metrics for its lines beside the default ones; nil: none
	streams func() int      // requests that it has in flight; nil: no more than others
}

// extras are all of them, in the order of their files.
var extras []*extra

// chosen says whether the experiment runs.
func (e *extra) chosen() bool {
	pattern := flag.Lookup("test.bench").Value.String()
	return slices.ContainsFunc(e.flags, given) || !mission(pattern) && matches(pattern, "Benchmark"+e.name)
}

// mission says whether the pattern means all benchmarks, and by that those of the mission alone.
func mission(pattern string) bool {
	return matches(pattern, "BenchmarkLatency") && matches(pattern, "BenchmarkSeqLen") && matches(pattern, "BenchmarkThroughput")
}

// asked skips an experiment that was not chosen.
func asked(b *testing.B) *session {
	b.Helper()
	s := ready(b)
	name := strings.TrimPrefix(b.Name(), "Benchmark")
	if i := slices.IndexFunc(extras, func(e *extra) bool { return e.name == name }); !extras[i].chosen() {
		b.SkipNow()
	}
	return s
}

// open says whether an experiment was chosen that sends by a schedule.
func open() bool {
	return slices.ContainsFunc(extras, func(e *extra) bool { return e.open && e.chosen() })
}

// streams is how many requests may be in flight.
func (s *session) streams() int {
	n := max(slices.Max(flags.batches), 64)
	if open() {
		n = max(n, flags.inFlightMax)
	}
	for _, e := range extras {
		if e.streams != nil && e.chosen() {
			n = max(n, e.streams())
		}
	}
	return n
}

// showing says whether an experiment was chosen that shows the metric.
func showing(metric string) bool {
	return slices.ContainsFunc(extras, func(e *extra) bool { return e.shows != nil && e.chosen() && slices.Contains(e.shows(), metric) })
}

// seed is that of this round: repetitions differ, and the same one of two runs is the same.
func (s *session) seed() uint64 { return flags.seed + uint64(s.round) }

func TestMission(t *testing.T) {
	for pattern, want := range map[string]bool{".": true, ".*": true, "Benchmark": true, "Latency|Throughput|SeqLen": true, "Arrivals": false, "Latency|Arrivals": false, "Throughput": false} {
		assert.Equal(t, want, mission(pattern), pattern)
	}
}
