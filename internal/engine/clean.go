package engine

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
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

// escape writes what does not print in a JSON value as \u and four digits: the
// same value, which does nothing to a terminal that shows it.
func escape(raw json.RawMessage) json.RawMessage {
	var b strings.Builder
	for _, r := range string(raw) {
		switch {
		case unicode.IsPrint(r) && r != unicode.ReplacementChar, strings.ContainsRune("\t\r\n", r):
			b.WriteRune(r)
		case utf16.RuneLen(r) == 2:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return json.RawMessage(b.String())
}
