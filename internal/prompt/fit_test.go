package prompt

import (
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// template is what the fake chat template adds, in tokens.
const template = 6

// pieces counts as BPE behind a splitting into words does: each word by itself,
// four letters or one sign of another script a token.
func pieces(text string) (int, error) {
	n := template
	for word := range strings.FieldsSeq(text) {
		letters := 0
		for _, r := range word {
			if r < utf8.RuneSelf {
				letters++
			} else {
				n++
			}
		}
		n += (letters + 3) / 4
	}
	return n, nil
}

func source(t *testing.T) *Source {
	t.Helper()
	s, err := FromText(os.DirFS("../../testdata/prompts"), [16]byte{1})
	require.NoError(t, err)
	return s
}

// letters counts each byte but the spaces between words.
func letters(text string) (int, error) {
	n := template
	for word := range strings.FieldsSeq(text) {
		n += len(word)
	}
	return n, nil
}

// joined counts as pieces does, and five more if anything follows the first sentence.
func joined(text string) (int, error) {
	n, err := pieces(text)
	if !strings.HasSuffix(text, ending) {
		n += 5
	}
	return n, err
}

// words counts as a tokenizer does that knows every word.
func words(text string) (int, error) { return template + len(strings.Fields(text)), nil }

func TestFitIsExact(t *testing.T) {
	for name, count := range map[string]func(string) (int, error){"pieces": pieces, "letters": letters, "joined": joined, "words": words} {
		t.Run(name, func(t *testing.T) { fits(t, count) })
	}
}

func fits(t *testing.T, count func(string) (int, error)) {
	s := source(t)
	least, err := s.Align(count)
	require.NoError(t, err)
	for _, tokens := range []int{least, least + 7, 19, 20, 21, 22, 23, 50, 200, 1000} {
		require.NoError(t, s.Fit(tokens, count), tokens)
		seen, salts := map[string]bool{}, map[string]bool{}
		bodies := map[string]bool{}
		for range 300 {
			p := s.Next(tokens)
			n, _ := count(p.Text)
			require.Equal(t, tokens, n, p.Text)
			assert.Equal(t, tokens, p.Tokens)
			salts[p.Salt] = true
			assert.Nil(t, p.IDs)
			seen[p.Text] = true
			_, body, _ := strings.Cut(p.Text, ending)
			bodies[body] = true
		}
		assert.Len(t, salts, 300, "what the template puts first is not shared")
		if tokens >= 50 {
			assert.Len(t, seen, 300, "no prompt comes twice")
			assert.Greater(t, len(bodies), 5, "of %d tokens: all texts are used", tokens)
		}
	}
	assert.Zero(t, s.Next(51).Tokens, "a length that was not fitted is about so long")
}

func TestFitRefuses(t *testing.T) {
	s := source(t)
	least, err := s.Align(pieces)
	require.NoError(t, err)
	assert.ErrorIs(t, s.Fit(least-1, pieces), ErrShort)
	assert.EqualError(t, s.Fit(least-1, pieces), fmt.Sprintf("a prompt of %d tokens is shorter than the shortest prompt", least-1))

	broken := errors.New("no tokenizer")
	fails := func(string) (int, error) { return 0, broken }
	assert.ErrorIs(t, s.Fit(50, fails), broken)
	_, err = source(t).Align(fails)
	assert.ErrorIs(t, err, broken)

	// A tokenizer to which each word's length is another.
	_, err = source(t).Align(func(text string) (int, error) { return int(crc32.ChecksumIEEE([]byte(text))), nil })
	assert.ErrorContains(t, err, "too few for prompts of an exact length that never repeat (64)")

	// One that looks across words: a text's length is not the sum of its words'.
	across := func(text string) (int, error) { return len(text)/4 + 1, nil }
	s = source(t)
	if _, err = s.Align(across); err == nil {
		err = s.Fit(200, across)
	}
	assert.ErrorContains(t, err, "counts the same words differently beside others")

	// One in which no text has an odd number of tokens.
	even := func(text string) (int, error) { n, _ := pieces(text); return n &^ 1, nil }
	s = source(t)
	_, err = s.Align(even)
	require.NoError(t, err)
	assert.EqualError(t, s.Fit(51, even), "no text can be cut so that a prompt has 51 tokens by the server's tokenizer")
}
