package report

import (
	"regexp"
	"strings"
	"unicode"
)

// Clean makes one line of printable characters out of text that a server or a
// file gave: line breaks become spaces, and what steers a terminal or turns
// the direction of writing is left out.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsPrint(r) || unicode.Is(unicode.Zs, r):
			return r
		}
		return -1
	}, strings.ToValidUTF8(text, "\ufffd"))
}

// markup is what GitHub's Markdown takes for more than a character.
const markup = "\\`*_[]#!|~$"

// opener is an invisible character before what would be taken for an opening.
const opener = "\u200b"

// opening is what begins a list item, or makes the line before it a heading.
var opening = regexp.MustCompile(`^([-+]|[0-9]+[.)]|[-=]+)(\s|$)`)

// escape makes text stand in GitHub's Markdown, a table's cell included, as it
// is: no markup, no HTML, and no mention of a user.
func escape(text string) string {
	text = strings.TrimSpace(Clean(text))
	// What would begin a list or a heading's underline begins with an invisible character.
	if opening.MatchString(text) {
		return opener + escapeWithin(text)
	}
	return escapeWithin(text)
}

// escapeWithin is escape for text that stands behind other text in its line.
func escapeWithin(text string) string {
	var b strings.Builder
	for _, r := range Clean(text) {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case r == '@':
			b.WriteString("@\u200b") // a zero-width space ends the name at once
		case strings.ContainsRune(markup, r):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
