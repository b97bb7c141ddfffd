package prompt

import (
	"fmt"
	"io/fs"
	"strings"
	"unicode/utf8"
)

const (
	bytesPerToken = 4 // of UTF-8; holds roughly for English (4 letters) and for Chinese or Japanese (1 sign of 3 bytes)
	leadWords     = 8 // 7 of them random out of over 600: 65 bits
)

// FromText returns a source of text prompts, for servers that take no token
// ids. Their bodies are the .txt files at the root of files, in turn. Each run
// needs a new random nonce.
//
// It fails if there are no such files, or one is empty or not UTF-8.
func FromText(files fs.FS, nonce [16]byte) (*Source, error) {
	names, err := fs.Glob(files, "*.txt")
	if err != nil {
		return nil, fmt.Errorf("listing prompts: %w", err)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no prompts: put .txt files into the prompts folder (testdata/prompts)")
	}
	s := newSource(nonce)
	for _, name := range names {
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("reading prompt: %w", err)
		}
		text := strings.TrimSpace(string(b))
		if text == "" || !utf8.ValidString(text) {
			return nil, fmt.Errorf("prompt %s is empty or not UTF-8: write it anew or remove it", name)
		}
		s.texts = append(s.texts, text)
	}
	s.words = strings.Fields(Words)
	s.order().Shuffle(len(s.words), func(i, j int) { s.words[i], s.words[j] = s.words[j], s.words[i] })
	return s, nil
}

// text is the content of prompt n: a sentence that only this prompt has,
// first, so that the server's prefix cache can use nothing that follows it,
// then a body, repeated or cut to the asked length.
func (s *Source) text(n uint64, tokens int) string {
	r := s.rng(n)
	var b strings.Builder
	b.Grow(bytesPerToken*tokens + utf8.UTFMax)
	b.WriteString(s.words[n%uint64(len(s.words))])
	for range min(tokens, leadWords) - 1 {
		b.WriteByte(' ')
		b.WriteString(s.words[r.IntN(len(s.words))])
	}
	b.WriteByte('.')
	for body, want := s.texts[n%uint64(len(s.texts))], bytesPerToken*tokens; b.Len() < want; {
		b.WriteString("\n\n")
		b.WriteString(cut(body, want-b.Len()))
	}
	return b.String()
}

// cut returns the first n bytes of s, and the rest of a rune that they end in.
func cut(s string, n int) string {
	n = max(n, 0)
	for n < len(s) && !utf8.RuneStart(s[n]) {
		n++
	}
	return s[:min(n, len(s))]
}
