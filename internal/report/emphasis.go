package report

import "regexp"

// figures finds a number with its unit: "206.6 tok/s", "1.45 s", "72 %".
var figures = regexp.MustCompile(`[-−]?[0-9][0-9.,\x{202f}\x{2009}]*[0-9]?(?:[eE][-+]?[0-9]+)?(?:[ \x{a0}\x{202f}]?(?:tok/s|req/s|J/tok|µs|ms|ns|s|%|W|x|×|GiB|GB)(?:$|[^\pL\pN])|x|×)?`)

// An emphasis is a text with the first number in it.
type emphasis struct{ Before, Number, After string }

// emphasise finds the number that a sentence is about: its first.
func emphasise(text string) emphasis {
	text = Clean(text)
	at := figures.FindStringIndex(text)
	if at == nil {
		return emphasis{Before: text}
	}
	from, to := at[0], at[1]
	// What follows a unit was only looked at, and a comma or full stop ends the clause.
	for to > from+1 {
		last := text[to-1]
		if last != ' ' && last != ',' && last != '.' && last != ';' && last != ':' && last != ')' && last != '(' && last != '[' {
			break
		}
		to--
	}
	return emphasis{text[:from], text[from:to], text[to:]}
}

// ending is where a sentence ends: a full stop before a space and a capital letter.
var ending = regexp.MustCompile(`[.!?]\s+\p{Lu}`)

// FirstSentence is the first sentence of text.
func FirstSentence(text string) string {
	if at := ending.FindStringIndex(text); at != nil {
		return text[:at[0]+1]
	}
	return text
}
