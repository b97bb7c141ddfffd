package compare

import (
	"math"
	"strconv"
	"strings"

	"vllmbench/internal/numeral"
)

// thin is the space between groups of digits and before a unit.
const thin = numeral.Narrow

// sig writes x with three significant digits and its thousands in groups.
func sig(x float64) string {
	if x == 0 {
		return "0"
	}
	exponent := int(math.Floor(math.Log10(math.Abs(x))))
	unit := math.Pow(10, float64(exponent-2))
	rounded := math.Round(x/unit) * unit
	if math.Abs(rounded) >= math.Pow(10, float64(exponent+1)) { // 9.999
		exponent++
	}
	text := strconv.FormatFloat(rounded, 'f', max(0, 2-exponent), 64)
	return numeral.Grouped(text, thin)
}

// share writes a percentage, without its sign, to no more than a hundredth.
func share(percent float64) string {
	percent = math.Abs(percent)
	if percent < 0.005 {
		return "<0.01"
	}
	if percent < 1 {
		return strconv.FormatFloat(percent, 'f', 2, 64)
	}
	return sig(percent)
}

// signed writes a percentage with its sign.
func signed(percent float64) string {
	switch {
	case math.Abs(percent) < 0.005:
		return "0.00"
	case percent < 0:
		return "-" + share(percent)
	}
	return "+" + share(percent)
}

// A scale is the unit of a table's column.
type scale struct {
	unit   string
	factor float64 // what one of the unit is in the metric's own
}

// scaleOf chooses the largest unit in which no median of the table is below 1.
func (t *Table) scaleOf() scale {
	steps := map[string][]scale{
		"ns": {{"ns", 1}, {"µs", 1e3}, {"ms", 1e6}, {"s", 1e9}},
		"B":  {{"B", 1}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}},
	}
	name := t.Metric[strings.LastIndexByte(t.Metric, '-')+1:]
	unit, per, _ := strings.Cut(name, "/")
	if per != "" {
		per = "/" + per
	}
	best := scale{unit: name, factor: 1}
	if !strings.Contains(name, "/") && steps[unit] == nil && !strings.HasSuffix(name, "%") && name != "W" && name != "Hz" {
		best.unit = ""
	}
	smallest := math.Inf(1)
	for _, l := range t.lines() {
		for _, level := range []*Level{l.Old, l.New} {
			if level != nil && level.Median != 0 {
				smallest = min(smallest, math.Abs(level.Median))
			}
		}
	}
	for _, s := range steps[unit] {
		if smallest >= s.factor && !math.IsInf(smallest, 1) {
			best = scale{s.unit + per, s.factor}
		}
	}
	return best
}

// direction says in a word which way a change goes: faster or slower for rates and times.
func (t *Table) direction(percent float64) string {
	words := []string{"less", "more"}
	name := t.Metric[strings.LastIndexByte(t.Metric, '-')+1:]
	switch {
	case strings.HasSuffix(name, "/s"):
		words = []string{"slower", "faster"}
	case name == "ns", name == "sec", strings.HasPrefix(name, "ns/"), strings.HasPrefix(name, "sec/"):
		words = []string{"faster", "slower"}
	}
	if percent < 0 {
		return words[0]
	}
	return words[1]
}

// exact writes a percentage that somebody chose.
func exact(percent float64) string {
	return strconv.FormatFloat(math.Round(percent*1e9)/1e9, 'f', -1, 64)
}

// digits rounds x to six significant digits: what is beyond them is not known, and differs by machine.
func digits(x float64) float64 {
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 6, 64), 64)
	return rounded
}
