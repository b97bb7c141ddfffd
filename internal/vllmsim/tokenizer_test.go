package vllmsim

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEveryIDHasItsWord(t *testing.T) {
	seen := make(map[string]bool, numWords)
	for id := int32(minWordID); id < minWordID+numWords; id++ {
		word := string(appendWord(nil, id))
		if seen[word] || wordID(word) != id {
			t.Fatalf("id %d has the word %q, which has the id %d", id, word, wordID(word))
		}
		seen[word] = true
	}
}

func TestWordsBecomeIDs(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "   \n\t ": 0, "one": 1, " one  two\nthree ": 3, "zuzuzu": 1, "don't stop!": 2, "日本 語": 2,
	} {
		got := tokenize(text)
		assert.Len(t, got, want, text)
		for _, id := range got {
			assert.True(t, id >= minWordID && id < minWordID+numWords, "%q has id %d", text, id)
		}
	}
	assert.Equal(t, tokenize("hello hello"), append(tokenize("hello"), tokenize("hello")...), "ids are stable")
	assert.NotEqual(t, tokenize("hello"), tokenize("Hello"))
}

func TestDetokenize(t *testing.T) {
	out := []int32{1000, 77777, 150999}
	assert.Equal(t, out, tokenize(detokenize(out)), "what was generated reads back as it was")
	assert.Len(t, tokenize(detokenize([]int32{0, 151643, -5, 1 << 30})), 4, "any id has a word")
}

// Equal prompts have equal outputs, as under greedy decoding.
func TestOutputFollowsThePrompt(t *testing.T) {
	output := func(prompt []int32) (out []int32) {
		r := NewRequest(1, prompt, 8, "")
		for i := range 8 {
			out = append(out, r.Output(i))
		}
		return out
	}
	assert.Equal(t, output(ids(1, 5)), output(ids(1, 5)))
	assert.NotEqual(t, output(ids(1, 5)), output(ids(1, 6)))
	assert.NotEqual(t, output([]int32{1, 2}), output([]int32{2, 1}))
}

// The tokenizer's ids are taken whatever vocabulary the model has.
func TestChatWithASmallerVocabulary(t *testing.T) {
	url := start(t, Config{Model: "Llama-3.1-8B", GPU: "H100", MaxModelLen: 4096})
	resp, body := do(t, "POST", url+"/v1/chat/completions", `{"messages":[{"role":"user","content":"hello"}],"max_tokens":1}`)
	assert.Equal(t, http.StatusOK, resp.StatusCode, body)
}
