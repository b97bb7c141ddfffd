package prompt

import (
	"fmt"
	"slices"
)

// minIDs ids make 16 tokens, the smallest block of vLLM's prefix cache, worth 96 bits.
const minIDs = 64

// FromIDs returns a source of prompts of token ids drawn from vocab, the ids
// that the server's tokenizer gives for Words. Each run needs a new random nonce.
//
// It fails if vocab has fewer than 64 different ids, or an id that is negative.
func FromIDs(vocab []int, nonce [16]byte) (*Source, error) {
	ids := slices.Compact(slices.Sorted(slices.Values(vocab)))
	if len(ids) < minIDs {
		return nil, fmt.Errorf("the server's tokenizer gives %d different ids for the word list, too few for prompts that never repeat (%d): use text prompts", len(ids), minIDs)
	}
	if ids[0] < 0 {
		return nil, fmt.Errorf("the server's tokenizer gives the id %d for the word list, which no prompt can hold: use text prompts", ids[0])
	}
	s := newSource(nonce)
	s.ids = ids
	s.order().Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	return s, nil
}

// sequence is the content of prompt n: the first id goes round the safe ids,
// so that prompts in flight together differ from their first token on, and
// the others are random.
func (s *Source) sequence(n uint64, tokens int) []int {
	r := s.rng(n)
	out := make([]int, tokens)
	for i := range out {
		out[i] = s.ids[r.IntN(len(s.ids))]
	}
	if tokens > 0 {
		out[0] = s.ids[n%uint64(len(s.ids))]
	}
	return out
}
