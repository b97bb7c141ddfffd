package prompt

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
)

// A Set makes prompts that may share blocks. It is safe for concurrent use.
type Set struct {
	source *Source
	number uint64
}

// Set returns a new set: no block of it is equal to one of another set, of this
// run or of another, so that a load which is sent again is new to the server.
func (s *Source) Set() Set { return Set{s, s.count.Add(1) - 1} }

// Blocks returns a prompt of so many tokens that is made of blocks of block
// tokens each, 1 or more. The content of block i depends on the set and on
// hashes[i] alone, so equal hashes make equal blocks. A last block that the prompt does not fill is the begin of that hash's
// block. What the hashes do not reach is of this prompt alone, and hashes
// beyond the prompt's end count for nothing.
//
// A prompt of ids is exactly so long. One of text has a common word for each
// token, and so is about so long.
func (s Set) Blocks(hashes []uint64, block, tokens int) Prompt {
	if s.source.texts != nil {
		return Prompt{Text: strings.Join(compose(s, s.source.words, hashes, block, tokens), " "), Salt: s.source.salt}
	}
	return Prompt{IDs: compose(s, s.source.ids, hashes, block, tokens), Tokens: tokens, Salt: s.source.salt}
}

// compose draws from the parts that prompts are made of, ids or words.
func compose[T any](s Set, from []T, hashes []uint64, block, tokens int) []T {
	out := make([]T, tokens)
	rest := out
	for _, h := range hashes {
		n := min(block, len(rest))
		draw(rest[:n], from, s.block(h))
		rest = rest[n:]
		if len(rest) == 0 {
			return out
		}
	}
	draw(rest, from, s.source.rng(s.source.count.Add(1)-1))
	return out
}

func draw[T any](out, from []T, r *rand.Rand) {
	for i := range out {
		out[i] = from[r.IntN(len(from))]
	}
}

// block returns the random numbers of the block with a hash. The second half of
// the key, which is 0 for rng, keeps blocks apart from the prompts of Next.
func (s Set) block(hash uint64) *rand.Rand {
	var key [32]byte
	copy(key[:], s.source.nonce[:])
	binary.LittleEndian.PutUint64(key[16:], hash)
	binary.LittleEndian.PutUint64(key[24:], ^s.number)
	return rand.New(rand.NewChaCha8(key))
}
