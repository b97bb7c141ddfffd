package bench

import (
	"fmt"
	"math/bits"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/assert"
)

// A timing is how far the client's times lie from the server's, for streams
// that met no fault and for tokens that have an arrival of their own.
//
// An event leaves the server at some instant within its write. On a machine
// that has other things to do a write can take long, so an error is what lies
// beyond: an arrival after the write's end, a gap between two arrivals that
// the writes cannot have had.
type timing struct {
	ttft, itl, lag spread
	tokens, merged int
}

func (t *timing) add(f *finding) {
	events, writes := f.res.Events, f.truth().Events
	began := func(i int) time.Duration { return writes[i].Began.Sub(f.epoch) }
	ended := func(i int) time.Duration { return writes[i].Ended.Sub(f.epoch) }
	alone := func(i int) bool {
		return !events[i].Merged && (i+1 == len(events) || !events[i+1].Merged)
	}
	for i, e := range events {
		t.tokens++
		if !alone(i) {
			t.merged++
			continue
		}
		t.lag.add(e.Lag)
		if i == 0 {
			t.ttft.add(beyond(e.At, began(0), ended(0)))
		} else if alone(i - 1) {
			t.itl.add(beyond(e.At-events[i-1].At, began(i)-ended(i-1), ended(i)-began(i-1)))
		}
	}
}

// beyond is how far d lies from the interval.
func beyond(d, from, to time.Duration) time.Duration { return max(0, from-d, d-to) }

// A spread counts times in buckets whose width is 1/32 of them or less.
type spread struct {
	counts [64 * 32]int
	n      int
}

func (s *spread) add(d time.Duration) {
	s.counts[bucket(d)]++
	s.n++
}

func bucket(d time.Duration) int {
	shift := max(0, bits.Len64(uint64(d))-6)
	return shift*32 + int(uint64(d)>>shift)
}

// quantile is the upper end of the bucket that holds it.
func (s *spread) quantile(q float64) time.Duration {
	rank := int(q * float64(s.n-1))
	for i, n := range s.counts {
		if rank -= n; rank < 0 {
			shift := max(0, i/32-1)
			return time.Duration((i-shift*32+1)<<shift - 1)
		}
	}
	return 0
}

func timingTable(clean, faulty *timing) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "run\tof\tsamples\tp50\tp99\tp99.9\tmax\t")
	line := func(run, of string, s *spread) {
		fmt.Fprintf(w, "%s\t%s\t%d\t%v\t%v\t%v\t%v\t\n", run, of, s.n, s.quantile(0.5), s.quantile(0.99), s.quantile(0.999), s.quantile(1))
	}
	for i, t := range []*timing{clean, faulty} {
		run := [...]string{"clean", "with faults"}[i]
		line(run, "TTFT's error", &t.ttft)
		line(run, "ITL's error", &t.itl)
		line(run, "client's lag", &t.lag)
		fmt.Fprintf(w, "%s\tmerged\t%d\t%.1f %%\t\t\t\t\n", run, t.tokens, 100*float64(t.merged)/float64(max(1, t.tokens)))
	}
	w.Flush()
	return b.String()
}

// checkTimings wants streams that met no fault to be timed as well beside
// those that did as without them. A stamp taken from another stream or by the
// client would be wrong by milliseconds.
func checkTimings(t *testing.T, clean, faulty *timing) {
	t.Helper()
	for _, of := range []struct {
		name          string
		clean, faulty *spread
	}{{"TTFT", &clean.ttft, &faulty.ttft}, {"ITL", &clean.itl, &faulty.itl}} {
		assert.Positive(t, of.clean.n, of.name)
		assert.Positive(t, of.faulty.n, of.name)
		assert.LessOrEqual(t, of.faulty.quantile(0.5), 50*time.Microsecond, "median error of %s", of.name)
		assert.LessOrEqual(t, of.faulty.quantile(0.99), of.clean.quantile(0.99)+time.Millisecond, "p99 of the error of %s", of.name)
	}
}

func TestSpread(t *testing.T) {
	for _, d := range []time.Duration{0, 1, 31, 32, 63, 64, 65, 1000, 123456789, time.Hour} {
		var s spread
		s.add(d)
		assert.GreaterOrEqual(t, s.quantile(0.5), d)
		assert.LessOrEqual(t, s.quantile(0.5), d+d/32)
	}
	var s spread
	for d := range time.Duration(1000) {
		s.add(d)
	}
	assert.InDelta(t, 500, s.quantile(0.5), 16)
	assert.InDelta(t, 990, s.quantile(0.99), 32)
}
