package figure

import (
	"math"
	"strconv"
	"strings"
	"unicode"

	"vllmbench/internal/numeral"
)

// thin parts groups of three digits.
const thin = "\u2009"

// num writes v with three significant digits and thin grouping: "4 790", "17.9".
func num(v float64) string {
	if v == 0 {
		return "0"
	}
	unit := math.Pow10(int(math.Floor(math.Log10(math.Abs(v)))) - 2)
	decimals := max(0, -int(math.Floor(math.Log10(unit)+0.5)))
	return numeral.Grouped(strconv.FormatFloat(math.Round(v/unit)*unit, 'f', decimals, 64), thin)
}

// tick writes a round number as it is: "0.5", "1 024".
func tick(v float64) string { return numeral.Grouped(strconv.FormatFloat(v, 'f', -1, 64), thin) }

// tickLabels writes the ticks of an axis, on a linear one with equally many decimals.
func tickLabels(a Axis) []string {
	labels, decimals := make([]string, len(a.Ticks)), 0
	for i, v := range a.Ticks {
		labels[i] = tick(v)
		if _, rest, point := strings.Cut(labels[i], "."); point {
			decimals = max(decimals, len(rest))
		}
	}
	if a.Scale == Linear {
		for i, v := range a.Ticks {
			labels[i] = numeral.Grouped(strconv.FormatFloat(v, 'f', decimals, 64), thin)
		}
	}
	return labels
}

// count writes a whole number.
func count(n int) string { return numeral.Grouped(strconv.Itoa(n), thin) }

// duration writes ns nanoseconds in the unit that suits them.
func duration(ns float64) string {
	for _, u := range []struct {
		ns   float64
		name string
	}{{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}} {
		if math.Abs(ns) >= u.ns {
			return num(ns/u.ns) + " " + u.name
		}
	}
	return num(ns) + " ns"
}

// clean makes a server's or a folder's text fit to be drawn: one line without
// control characters, of n runes at most.
func clean(s string, n int) string {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsGraphic(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "?"))), " ")
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return s
}

// slug makes an ID of a name: lower-case letters, digits and "-".
func slug(name string) string {
	parts := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	return strings.Join(parts, "-")
}
