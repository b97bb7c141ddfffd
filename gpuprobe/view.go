package gpuprobe

import (
	"math"
	"time"
)

const (
	// coverage is the share of a window that reads must cover for a mean to be
	// known: GPM leaves out at most 0.1 s at each end.
	coverage = 0.9
	// energyStep is how often the energy counter moves (0.1 s on an H200).
	energyStep = 100 * time.Millisecond
)

// A view is one GPU in a window.
type view struct {
	window
	gpu int
}

func (v view) reading(k int) *Reading { return &v.near[k].GPUs[v.gpu] }

// sinceReading returns where the interval begins that activity at sample k is the mean of.
func (v view) sinceReading(k int) time.Time { return v.reading(k).Since }

// sinceSample returns the sample before k.
func (v view) sinceSample(k int) time.Time {
	if k == 0 {
		return time.Time{}
	}
	return v.near[k-1].At
}

// share is the mean of what each read tells of the interval before it,
// weighted by the interval's overlap with the window.
func (v view) share(get func(*Reading) Value, since func(int) time.Time) Value {
	var sum, covered float64
	for k := range v.near {
		x, begin := get(v.reading(k)), since(k)
		if !x.Known || begin.IsZero() {
			continue
		}
		d := v.overlap(begin, v.near[k].At)
		sum += x.N * d
		covered += d
	}
	return v.over(sum, covered)
}

// mean is the mean of what is told of instants, taken to be linear between reads.
func (v view) mean(get func(*Reading) Value) Value {
	var sum, covered float64
	for k := 1; k < len(v.near); k++ {
		a, b := get(v.reading(k-1)), get(v.reading(k))
		if !a.Known || !b.Known {
			continue
		}
		begin, end := later(v.near[k-1].At, v.from), earlier(v.near[k].At, v.to)
		d := v.overlap(begin, end)
		sum += d * (v.line(k, a.N, b.N, begin) + v.line(k, a.N, b.N, end)) / 2
		covered += d
	}
	return v.over(sum, covered)
}

func (v view) over(sum, covered float64) Value {
	if covered <= 0 || covered < coverage*v.seconds() {
		return Value{}
	}
	return known(sum / covered)
}

// overlap returns how many seconds of an interval are in the window.
func (v view) overlap(begin, end time.Time) float64 {
	return max(0, earlier(end, v.to).Sub(later(begin, v.from)).Seconds())
}

// line returns the value at t on the line from a at sample k-1 to b at sample k.
func (v view) line(k int, a, b float64, t time.Time) float64 {
	d := v.near[k].At.Sub(v.near[k-1].At).Seconds()
	if d <= 0 {
		return b
	}
	return a + (b-a)*t.Sub(v.near[k-1].At).Seconds()/d
}

// peak is the highest of the reads in and at the ends of the window.
func (v view) peak(get func(*Reading) Value) Value { return v.extreme(get, math.Max) }

func (v view) lowest(get func(*Reading) Value) Value { return v.extreme(get, math.Min) }

func (v view) extreme(get func(*Reading) Value, pick func(a, b float64) float64) (out Value) {
	for k := range v.near {
		x := get(v.reading(k))
		switch {
		case !x.Known:
		case !out.Known:
			out = x
		default:
			out.N = pick(out.N, x.N)
		}
	}
	return out
}

// events is how often a counter of rare events rose between the nearest reads outside the window.
func (v view) events(get func(*Reading) Value) Value {
	n, ok := v.rise(get)
	if !ok {
		return Value{}
	}
	return known(n)
}

// rise returns how far a counter rose over the near reads; not ok if one does
// not tell it or it went backwards.
func (v view) rise(get func(*Reading) Value) (n float64, ok bool) {
	for k := range v.near {
		x := get(v.reading(k))
		if !x.Known || (k > 0 && x.N < get(v.reading(k-1)).N) {
			return 0, false
		}
	}
	if len(v.near) < 2 {
		return 0, false
	}
	return get(v.reading(len(v.near)-1)).N - get(v.reading(0)).N, true
}

// counter is how far a counter rose in the window, taken to be linear between reads.
func (v view) counter(get func(*Reading) Value) Value {
	if _, ok := v.rise(get); !ok || !v.enclosed() {
		return Value{}
	}
	last := len(v.near) - 1
	first := v.line(1, get(v.reading(0)).N, get(v.reading(1)).N, v.from)
	end := v.line(last, get(v.reading(last-1)).N, get(v.reading(last)).N, v.to)
	return known(end - first)
}

// enclosed says whether there are reads at or beyond both ends of the window.
func (w window) enclosed() bool {
	return len(w.near) >= 2 && !w.near[0].At.After(w.from) && !w.near[len(w.near)-1].At.Before(w.to)
}

// throttled is the seconds for which the clock was held down for a reason: from
// the driver's counter, else from what held at each read.
func (v view) throttled(r Reason) Value {
	if n := v.counter(func(x *Reading) Value { return x.Throttle[r] }); n.Known {
		return n
	}
	held := v.share(func(x *Reading) Value {
		if !x.Throttled.Known || uint64(x.Throttled.N)&reasonBits[r] == 0 {
			return Value{0, x.Throttled.Known}
		}
		return known(1)
	}, v.sinceSample)
	held.N *= v.seconds()
	return held
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
