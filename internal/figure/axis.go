package figure

import (
	"math"
	"slices"
	"strconv"
)

// zeroBelow is the share of the largest value under which the smallest makes a
// linear axis begin at zero. Above it the differences are what is looked at.
const zeroBelow = 0.5

// leastSpan is the share of its largest value that a linear axis shows at
// least, so that noise of a percent does not look like a cliff.
const leastSpan = 0.2

// logFrom is the ratio of values from which a latency axis is logarithmic.
const logFrom = 5

// levelAxis is the axis of what was set: log2, with the set values as ticks.
// A level of zero, which has no place there, makes it linear.
func levelAxis(label string, set []float64) Axis {
	ticks := slices.Compact(slices.Sorted(slices.Values(set)))
	lo, hi := ticks[0], ticks[len(ticks)-1]
	if lo <= 0 {
		return linearAxis(label, ticks)
	}
	margin := max(math.Pow(hi/lo, 0.04), 1.1)
	return Axis{Label: label, Scale: Log2, Ticks: ticks, Min: lo / margin, Max: hi * margin}
}

// logAxis is a log10 axis over values; linear, if they are not all above zero.
func logAxis(label string, values []float64) Axis {
	if slices.Min(values) <= 0 {
		return linearAxis(label, values)
	}
	lo, hi := slices.Min(values)*0.93, slices.Max(values)*1.07
	a := Axis{Label: label, Scale: Log10, Min: lo, Max: hi}
	for e := math.Floor(math.Log10(lo)) - 1; e <= math.Log10(hi); e++ {
		for _, m := range []float64{1, 2, 5} {
			if t := round(m * math.Pow(10, e)); t >= lo && t <= hi {
				a.Ticks = append(a.Ticks, t)
			}
		}
	}
	if len(a.Ticks) < 3 {
		a.Ticks = linearTicks(lo, hi)
	}
	return a
}

// linearAxis is a linear axis over values.
func linearAxis(label string, values []float64) Axis {
	lo, hi := slices.Min(values), slices.Max(values)
	if hi <= 0 {
		hi = 1
	}
	span := max(hi-lo, leastSpan*hi)
	middle := (lo + hi) / 2
	if lo < zeroBelow*hi {
		lo, hi = min(lo, 0), hi+0.05*(hi-min(lo, 0))
	} else {
		lo, hi = max(0, middle-0.55*span), middle+0.55*span
	}
	return Axis{Label: label, Scale: Linear, Ticks: linearTicks(lo, hi), Min: lo, Max: hi}
}

// spread chooses the scale of a latency axis by the spread of its values.
func spread(label string, values []float64) Axis {
	if lo := slices.Min(values); lo > 0 && slices.Max(values) > logFrom*lo {
		return logAxis(label, values)
	}
	return linearAxis(label, values)
}

// tight is an axis of nothing but the values: a distribution has no use for the zero.
func tight(label string, values []float64) Axis {
	lo, hi := slices.Min(values), slices.Max(values)
	if lo > 0 && hi > logFrom*lo {
		return logAxis(label, values)
	}
	margin := max(0.03*(hi-lo), 0.01*hi, 1e-6)
	lo, hi = max(0, lo-margin), hi+margin
	return Axis{Label: label, Scale: Linear, Ticks: linearTicks(lo, hi), Min: lo, Max: hi}
}

// linearTicks are round numbers from lo to hi, about six.
func linearTicks(lo, hi float64) (ticks []float64) {
	rough := (hi - lo) / 6
	unit := math.Pow(10, math.Floor(math.Log10(rough)))
	step := 10 * unit
	for _, m := range []float64{1, 2, 5} {
		if m*unit >= rough*0.85 {
			step = m * unit
			break
		}
	}
	for k := math.Ceil(lo/step - 1e-9); k*step <= hi*(1+1e-9); k++ {
		ticks = append(ticks, round(k*step))
	}
	return ticks
}

// round takes the noise of the last bits from a number.
func round(v float64) float64 { return digits(v, 12) + 0 } // not -0

// digits rounds v to n significant digits, to keep the JSON small.
func digits(v float64, n int) float64 {
	short, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', n, 64), 64)
	if err != nil {
		return v
	}
	return short
}

// ys are the values that a y axis must show: none of a void point.
func ys(lines []Line) (values []float64) {
	for _, l := range lines {
		for _, p := range l.Points {
			if p.Void != "" {
				continue
			}
			values = append(values, p.Y)
			if p.Low != nil {
				values = append(values, *p.Low)
			}
			if p.High != nil {
				values = append(values, *p.High)
			}
		}
	}
	return values
}

// xs are the values that an x axis must show. What was set is shown of void points too.
func xs(lines []Line) (values []float64) {
	for _, l := range lines {
		for _, p := range l.Points {
			values = append(values, p.X)
		}
	}
	return values
}
