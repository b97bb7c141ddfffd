// Package prompt makes prompts of an asked token length that the server has never seen.
//
// Content comes from a nonce and a counter, never from a seed: a prompt that
// a server has seen before, in this run or an earlier one, would measure its
// prefix cache.
package prompt

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
)

// A Prompt is the input of one request: either IDs or Text is set.
type Prompt struct {
	IDs    []int
	Text   string
	Tokens int    // exact length in tokens, 0 if only the server knows
	Salt   string // for vLLM's cache_salt: separates this run in the prefix cache, and each new text
}

// A Source makes prompts. It is safe for concurrent use, and prompts share
// nothing, so a caller may keep or change them.
type Source struct {
	nonce [16]byte
	salt  string
	ids   []int       // safe token ids in an order of this run, for prompts of ids
	words []string    // words in an order of this run, for prompts of text
	texts []string    // bodies of text prompts; nil for prompts of ids
	fits  map[int]fit // by length in tokens: text prompts whose length is exact
	count atomic.Uint64
}

func newSource(nonce [16]byte) *Source {
	return &Source{nonce: nonce, salt: hex.EncodeToString(nonce[:])}
}

// Next returns a prompt of so many tokens, 1 or more. A prompt of ids is
// exactly so long, a prompt of text about so long, or exactly after Fit. The same nonce gives the
// same prompts in the same order.
//
// Of n prompts in a row, where n is the number of safe ids or words, no two
// begin alike. Any other pair shares its first 16 ids with a probability of at
// most 2^-90, or its first 8 words with one below 2^-60.
func (s *Source) Next(tokens int) Prompt {
	n := s.count.Add(1) - 1
	if f, exact := s.fits[tokens]; exact {
		return Prompt{Text: s.fitted(n, f), Tokens: tokens, Salt: s.own(n)}
	}
	if s.texts != nil {
		return Prompt{Text: s.text(n, tokens), Salt: s.own(n)}
	}
	return Prompt{IDs: s.sequence(n, tokens), Tokens: tokens, Salt: s.salt}
}

// own is a salt of prompt n alone: what a chat template puts before each text
// may fill a block of the prefix cache, which all prompts of one salt share.
func (s *Source) own(n uint64) string { return fmt.Sprintf("%s-%d", s.salt, n) }

// rng returns the random numbers of prompt n. ChaCha8, keyed by nonce and
// counter, keeps prompts and processes apart; a PCG would correlate near counters.
func (s *Source) rng(n uint64) *rand.Rand {
	var key [32]byte
	copy(key[:], s.nonce[:])
	binary.LittleEndian.PutUint64(key[16:], n)
	return rand.New(rand.NewChaCha8(key))
}

// order returns the random numbers for the order of ids or words in this run.
func (s *Source) order() *rand.Rand { return s.rng(^uint64(0)) }
