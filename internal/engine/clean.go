package engine

import (
	"strings"
	"unicode"
)

const maxClean = 200 // runes of a server's words that are repeated

// Clean makes words of a server fit to print: one line of printable runes, cut at 200.
// Runs of white space become one space, anything else that does not print becomes U+FFFD.
func Clean(s string) string {
	var b strings.Builder
	n, space := 0, false
	for _, r := range s {
		if unicode.IsSpace(r) {
			space = n > 0
			continue
		}
		if n+1 >= maxClean {
			b.WriteRune('…')
			break
		}
		if space {
			b.WriteByte(' ')
			n, space = n+1, false
		}
		if !unicode.IsPrint(r) {
			r = unicode.ReplacementChar
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}
