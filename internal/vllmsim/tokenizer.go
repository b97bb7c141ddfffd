package vllmsim

import (
	"hash/fnv"
	"strings"
	"unicode"
)

// The tokenizer takes each word for one token. Every id of the range has a
// word of its own: three syllables, written in base numSyllables. A text of
// such words is read back to the very ids; any other word gets an id by its
// hash. The range leaves out the low ids, which are bytes and punctuation in
// real vocabularies, and the special tokens at their end.
const (
	consonants   = "bdfghjklmnprstvz"
	vowels       = "aeiou"
	numSyllables = len(consonants) * len(vowels)

	minWordID = 1000
	numWords  = 150000 // minWordID+numWords is below Qwen2.5's first special id, 151643

	startOfTurn = 151644        // <|im_start|> of Qwen2.5
	endOfTurn   = 151645        // <|im_end|>
	vocabulary  = endOfTurn + 1 // of this tokenizer, whatever the model's
)

// appendWord appends the six letters of a token id; ids outside the range are
// brought into it.
func appendWord(b []byte, id int32) []byte {
	n := (int(id) - minWordID) % numWords
	if n < 0 {
		n += numWords
	}
	for _, place := range [3]int{numSyllables * numSyllables, numSyllables, 1} {
		s := n / place % numSyllables
		b = append(b, consonants[s/len(vowels)], vowels[s%len(vowels)])
	}
	return b
}

// wordID returns the id of a word.
func wordID(word string) int32 {
	if n, ok := syllables(word); ok && n < numWords {
		return int32(minWordID + n)
	}
	h := fnv.New32a()
	h.Write([]byte(word))
	return int32(minWordID + h.Sum32()%numWords)
}

// syllables reads a word of three syllables as a number.
func syllables(word string) (n int, ok bool) {
	if len(word) != 6 {
		return 0, false
	}
	for i := 0; i < len(word); i += 2 {
		c, v := strings.IndexByte(consonants, word[i]), strings.IndexByte(vowels, word[i+1])
		if c < 0 || v < 0 {
			return 0, false
		}
		n = n*numSyllables + c*len(vowels) + v
	}
	return n, true
}

// tokenize returns one id for each word of the text.
func tokenize(text string) []int32 {
	var ids []int32
	for word := range strings.FieldsFuncSeq(text, unicode.IsSpace) {
		ids = append(ids, wordID(word))
	}
	return ids
}

// detokenize returns the words of the ids, with a space before each.
func detokenize(ids []int32) string {
	b := make([]byte, 0, 7*len(ids))
	for _, id := range ids {
		b = appendWord(append(b, ' '), id)
	}
	return string(b)
}

// A message is one turn of a chat.
type message struct{ role, content string }

// applyChatTemplate renders a chat as Qwen2.5's template does, with the opening
// of the assistant's turn at the end.
func applyChatTemplate(messages []message) []int32 {
	var ids []int32
	for _, m := range messages {
		ids = append(ids, startOfTurn, wordID(m.role))
		ids = append(ids, tokenize(m.content)...)
		ids = append(ids, endOfTurn)
	}
	return append(ids, startOfTurn, wordID("assistant"))
}
