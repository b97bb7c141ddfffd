package lengths

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// ReadPairs reads one pair a line: the tokens of a prompt, then those of its
// output, with a comma, a semicolon or blanks between them. A heading on the first line,
// blank lines and what follows a # are passed over. An error names its line.
func ReadPairs(r io.Reader) ([]Pair, error) {
	var pairs []Pair
	lines := bufio.NewScanner(r)
	n, heading := 0, true
	for lines.Scan() {
		n++
		text := lines.Text()
		if n == 1 {
			text = strings.TrimPrefix(text, "\ufeff") // spreadsheets write it
		}
		text, _, _ = strings.Cut(text, "#")
		words := strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == ';' || unicode.IsSpace(c) })
		if len(words) == 0 {
			continue
		}
		if heading && unicode.IsLetter([]rune(words[0])[0]) {
			heading = false
			continue
		}
		heading = false
		p, err := pair(words)
		if err != nil {
			return nil, fmt.Errorf("line %d of the lengths: %w", n, err)
		}
		pairs = append(pairs, p)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d of the lengths: %w", n+1, err)
	}
	if len(pairs) == 0 {
		return nil, fmt.Errorf("the file of lengths is empty: it needs the tokens of a prompt and of its output on each line")
	}
	return pairs, nil
}

func pair(words []string) (p Pair, err error) {
	if len(words) != 2 {
		return p, fmt.Errorf("%q is not two columns: the tokens of a prompt and of its output", strings.Join(words, " "))
	}
	if p.Prompt, err = tokens(words[0]); err == nil {
		p.Output, err = tokens(words[1])
	}
	return p, err
}
