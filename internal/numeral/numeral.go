// Package numeral writes numbers as people read them.
//
// Only the space differs between places: fonts of pictures and terminals lack
// the one at which no line breaks.
package numeral

import "strings"

// Narrow is the narrow space at which no line breaks.
const Narrow = "\u202f"

// Grouped puts space between the thousands of a decimal number, which may have
// a sign and a fraction: "-12345.5" becomes "-12 345.5".
func Grouped(decimal, space string) string {
	sign := ""
	if strings.HasPrefix(decimal, "-") {
		sign, decimal = "-", decimal[1:]
	}
	whole, fraction, point := strings.Cut(decimal, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + space + whole[i:]
	}
	if point {
		whole += "." + fraction
	}
	return sign + whole
}
