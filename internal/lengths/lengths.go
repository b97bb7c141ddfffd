// Package lengths draws how many tokens the prompts and outputs of requests have.
//
// The pair of request i follows from the seed and i alone, so that two runs
// ask for the same work whichever stream asks first; contents are another
// package's, and never repeat.
package lengths

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
)

// A Pair is one request's lengths.
type Pair struct {
	Prompt, Output int // tokens
}

// A Sequence is the lengths of all requests of a load. It is safe for concurrent use.
type Sequence struct {
	prompt, output Dist
	pairs          []Pair // in the order of use
	seed           uint64
}

// NewSequence returns the sequence of a seed. Each of pairs is used once in every
// len(pairs) requests; if there are none, the two lengths are drawn independently of each other.
func NewSequence(prompt, output Dist, pairs []Pair, seed uint64) *Sequence {
	s := &Sequence{prompt: prompt, output: output, pairs: slices.Clone(pairs), seed: seed}
	s.rng(^uint64(0)).Shuffle(len(pairs), func(i, j int) { s.pairs[i], s.pairs[j] = s.pairs[j], s.pairs[i] })
	return s
}

// At returns the lengths of request i, from 0 on.
func (s *Sequence) At(i uint64) Pair {
	if n := uint64(len(s.pairs)); n > 0 {
		return s.pairs[i%n]
	}
	r := s.rng(i)
	return Pair{Prompt: s.prompt.at(r.Float64()), Output: s.output.at(r.Float64())}
}

// Max returns the greatest prompt, the greatest output, and the greatest sum
// of both that At can return.
func (s *Sequence) Max() (most Pair, sum int) {
	if len(s.pairs) == 0 {
		most = Pair{s.prompt.Max(), s.output.Max()}
		return most, most.Prompt + most.Output
	}
	for _, p := range s.pairs {
		most.Prompt, most.Output = max(most.Prompt, p.Prompt), max(most.Output, p.Output)
		sum = max(sum, p.Prompt+p.Output)
	}
	return most, sum
}

// Mean returns the mean prompt and the mean output, in tokens, as Dist.Mean does.
func (s *Sequence) Mean() (prompt, output float64) {
	if len(s.pairs) == 0 {
		return s.prompt.Mean(), s.output.Mean()
	}
	for _, p := range s.pairs {
		prompt += float64(p.Prompt)
		output += float64(p.Output)
	}
	n := float64(len(s.pairs))
	return prompt / n, output / n
}

// rng returns the random numbers of request i. ChaCha8, keyed by seed and index,
// keeps neighbours apart, which a generator seeded with near numbers need not.
func (s *Sequence) rng(i uint64) *rand.Rand {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], s.seed)
	binary.LittleEndian.PutUint64(key[8:], i)
	return rand.New(rand.NewChaCha8(key))
}
