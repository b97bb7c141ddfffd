package answers

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"vllmbench/internal/engine"
	"vllmbench/internal/numeral"
)

// thin stands between groups of three digits.
const thin = numeral.Narrow

// clean makes words from outside fit for a line: no control characters.
func clean(s string) string { return engine.Clean(s) }

// decimals are the places after the point that show three digits of v.
func decimals(v float64) int {
	if v == 0 {
		return 0
	}
	exponent := strconv.FormatFloat(math.Abs(v), 'e', 2, 64)
	_, digits, _ := strings.Cut(exponent, "e")
	n, _ := strconv.Atoi(digits) // as FormatFloat wrote it
	return 2 - n
}

// fixed writes v with so many places after the point; fewer than none rounds
// to tens, hundreds and so on.
func fixed(v float64, places int) string {
	if places < 0 {
		unit := math.Pow10(-places)
		v, places = math.Round(v/unit)*unit, 0
	}
	s := strconv.FormatFloat(v, 'f', places, 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	if whole, _, _ := strings.Cut(strings.TrimPrefix(s, "-"), "."); len(whole) <= 4 {
		return s
	}
	return numeral.Grouped(s, thin)
}

// number writes v with three significant digits.
func number(v float64) string {
	if math.Abs(v) >= 1e6 && math.Abs(v) < 1e15 {
		return number(v/1e6) + " million"
	}
	return fixed(v, decimals(v))
}

// count writes a whole number.
func count(n int) string { return fixed(float64(n), 0) }

// text writes e in a unit, with its interval or the number of repetitions that
// are too few for one: "4.74 ms [4.73, 4.75]", "4.74 ms (n=3)".
func (e Estimate) text(unit string) string {
	if e.N == 0 {
		return "unknown"
	}
	if unit != "" {
		unit = " " + unit
	}
	if e.Low == nil {
		return fmt.Sprintf("%s%s (n=%d)", number(e.Value), unit, e.N)
	}
	places := decimals(max(math.Abs(e.Value), math.Abs(*e.Low), math.Abs(*e.High)))
	return fmt.Sprintf("%s%s [%s, %s]", fixed(e.Value, places), unit, fixed(*e.Low, places), fixed(*e.High, places))
}

// duration writes an estimate in ns in the unit that suits it; per, if any,
// follows the unit: " a token".
func (e Estimate) duration(per string) string {
	widest := math.Abs(e.Value)
	if e.Low != nil {
		widest = max(widest, math.Abs(*e.Low), math.Abs(*e.High))
	}
	scale, unit := timeUnit(widest)
	return e.scaled(1 / scale).text(unit + per)
}

// ns writes nanoseconds in the unit that suits them.
func ns(v float64) string {
	scale, unit := timeUnit(v)
	return number(v/scale) + " " + unit
}

func timeUnit(v float64) (scale float64, name string) {
	switch v = math.Abs(v); {
	case v >= 0.9995e9:
		return 1e9, "s"
	case v >= 0.9995e6:
		return 1e6, "ms"
	case v >= 0.9995e3:
		return 1e3, "µs"
	}
	return 1, "ns"
}

// times writes a ratio: "x1.61".
func times(v float64) string { return "x" + number(v) }

// ratio writes an estimate of a ratio: "x1.61 [1.60, 1.62]".
func (e Estimate) ratio() string { return "x" + e.text("") }

// plural is "1 repetition", "8 repetitions".
func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return count(n) + " " + noun
}
