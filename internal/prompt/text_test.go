package prompt

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWordsAreDistinctAndPlain(t *testing.T) {
	words := strings.Fields(Words)
	seen := map[string]bool{}
	for _, w := range words {
		assert.False(t, seen[w], w)
		assert.Regexp(t, "^[a-z]{3,10}$", w)
		seen[w] = true
	}
	assert.Greater(t, len(words), 600) // text.go counts on it
}

func TestTextPromptsOfTheProject(t *testing.T) {
	s, err := FromText(os.DirFS("../../testdata/prompts"), [16]byte{1})
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(s.texts), 8)
	for i := range 3 * len(s.texts) {
		p := s.Next(1000)
		assert.Nil(t, p.IDs)
		assert.Zero(t, p.Tokens, "only the server knows")
		assert.True(t, utf8.ValidString(p.Text))
		assert.InDelta(t, 1000*bytesPerToken, len(p.Text), 3)
		_, body, found := strings.Cut(p.Text, ".\n\n")
		require.True(t, found)
		assert.True(t, strings.HasPrefix(body, cut(s.texts[i%len(s.texts)], 100)), "bodies take turns")
	}
}

func TestTextLengths(t *testing.T) {
	s, err := FromText(fstest.MapFS{"a.txt": {Data: []byte("日本語のテキスト")}}, [16]byte{1})
	require.NoError(t, err)
	for tokens, words := range map[int]int{1: 1, 2: 2, 7: 7, 8: 8, 200: 8} {
		text := s.Next(tokens).Text
		lead, _, _ := strings.Cut(text, ".")
		assert.Len(t, strings.Fields(lead), words, "tokens=%d", tokens)
		assert.GreaterOrEqual(t, len(text), (tokens-1)*bytesPerToken, "tokens=%d", tokens)
		assert.True(t, utf8.ValidString(text), "cut inside a rune: %q", text)
	}
}

func TestTextsNeverRepeatTheirLead(t *testing.T) {
	seen := map[string]bool{}
	const each = 50_000
	for nonce := range byte(2) {
		s, err := FromText(fstest.MapFS{"a.txt": {Data: []byte("body")}}, [16]byte{nonce})
		require.NoError(t, err)
		first := map[string]bool{}
		for i := range each {
			lead, _, _ := strings.Cut(s.Next(leadWords).Text, ".")
			seen[lead] = true
			if word, _, _ := strings.Cut(lead, " "); i < len(s.words) {
				first[word] = true
			}
		}
		assert.Len(t, first, len(s.words), "prompts in a row differ from the first word on")
	}
	assert.Len(t, seen, 2*each)
}

func TestFromTextRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		files fstest.MapFS
		says  string
	}{
		"no files":  {fstest.MapFS{"README.md": {Data: []byte("x")}}, "no prompts"},
		"empty":     {fstest.MapFS{"a.txt": {Data: []byte(" \n")}}, "prompt a.txt is empty"},
		"not UTF-8": {fstest.MapFS{"a.txt": {Data: []byte{0xff, 0xfe}}}, "or not UTF-8"},
		"a folder":  {fstest.MapFS{"a.txt/b": {Data: []byte("x")}}, "reading prompt"},
	} {
		_, err := FromText(c.files, [16]byte{})
		assert.ErrorContains(t, err, c.says, name)
	}
}

func FuzzCut(f *testing.F) {
	f.Add("plain", 3)
	f.Add("日本語", 4)
	f.Add("\x80\x80", 1)
	f.Fuzz(func(t *testing.T, s string, n int) {
		if !utf8.ValidString(s) {
			s = strings.ToValidUTF8(s, "?") // FromText lets nothing else in
		}
		got := cut(s, n)
		assert.True(t, utf8.ValidString(got))
		assert.True(t, strings.HasPrefix(s, got))
		assert.LessOrEqual(t, len(got), max(n, 0)+utf8.UTFMax-1)
		assert.GreaterOrEqual(t, len(got), min(n, len(s)))
	})
}
