package monitor

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// nothing stands where a quantity is offered but the interval had none of it.
const nothing = "-"

// figure writes a number with three significant digits, in at most five
// characters up to 999 k: 0.214, 23.1, 2620, 12.6k.
func figure(x float64) string {
	if x == 0 {
		return "0" // never -0
	}
	suffix := ""
	for _, s := range []string{"k", "M", "G", "T"} {
		// 9999.5 would be written as 10000, which has five digits.
		if math.Abs(x) < 9999.5 && suffix == "" || math.Abs(x) < 999.5 {
			break
		}
		x, suffix = x/1000, s
	}
	digits := 3
	for size := math.Abs(x); digits > 0 && size >= 0.9995; size /= 10 {
		digits--
	}
	if math.Abs(x) < 0.0005 {
		return "<0.001"
	}
	return strconv.FormatFloat(x, 'f', digits, 64) + suffix
}

// text writes n of q without the unit.
func (q quantity) text(n float64) string {
	if x := q.shown(n); columns[q].count && x < 9999.5 {
		return strconv.FormatFloat(math.Round(x), 'f', -1, 64)
	}
	return figure(q.shown(n))
}

// value writes a cell without the unit.
func (q quantity) value(c cell) string {
	if !c.known {
		return nothing
	}
	return q.text(c.n)
}

// withUnit writes n of q.
func (q quantity) withUnit(n float64) string { return q.text(n) + " " + columns[q].unit }

// brief writes a duration for reading: 2.1 s, 34 s, 3m20s.
func brief(d time.Duration) string {
	switch {
	case d < 9950*time.Millisecond:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 99500*time.Millisecond:
		return fmt.Sprintf("%.0f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}
