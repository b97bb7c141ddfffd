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
	n, gap := 0, 0 // runes written; 1 if white space stands before the next
	for _, r := range s {
		if unicode.IsSpace(r) {
			gap = min(n, 1)
			continue
		}
		if n+gap+1 >= maxClean {
			b.WriteRune('…')
			break
		}
		if !unicode.IsPrint(r) {
			r = unicode.ReplacementChar
		}
		b.WriteString(" "[:gap])
		b.WriteRune(r)
		n, gap = n+gap+1, 0
	}
	return b.String()
}
