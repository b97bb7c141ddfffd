package report

import (
	"regexp"
	"strings"
)

// Numbers in sentences, those that say most first: one with its interval, one
// with its unit, any.
var numbers = []*regexp.Regexp{
	regexp.MustCompile(before + `(` + digits + unit + `?) \[`),
	regexp.MustCompile(before + `(` + digits + unit + `)(?:$|[^\pL\pN])`),
	regexp.MustCompile(before + `(` + digits + `)(?:$|[^\pL\pN])`),
}

const (
	before = `(?:^|[\s(~±])`
	digits = `[-−x]?[0-9][0-9\x{202f}\x{2009}]*(?:\.[0-9]+)?`
	unit   = `(?:[ \x{a0}\x{202f}](?:million |billion )?(?:tok/s|req/s|J/tok|µs|ms|ns|s|%|W|GiB|GB|tokens))`
)

// An emphasis is a text with the number that it is about.
type emphasis struct{ Before, Number, After string }

func emphasise(text string) emphasis {
	for _, pattern := range numbers {
		if at := pattern.FindStringSubmatchIndex(text); at != nil {
			return emphasis{text[:at[2]], text[at[2]:at[3]], text[at[3]:]}
		}
	}
	return emphasis{Before: text}
}

// ending is where a sentence ends: a full stop before a space and a capital letter.
var ending = regexp.MustCompile(`[.!?]\s+\p{Lu}`)

// Sentence is the first sentence of text, and what follows it. A first
// sentence without a number takes the next ones along, up to one that has any.
func Sentence(text string) (first, rest string) {
	end := 0
	for !numbers[len(numbers)-1].MatchString(text[:end]) {
		at := ending.FindStringIndex(text[end:])
		if at == nil {
			return text, ""
		}
		end += at[0] + 1
	}
	return text[:end], strings.TrimSpace(text[end:])
}
