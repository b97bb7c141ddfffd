package vllmsim

// A Request is one sequence on its way through the scheduler, which owns it
// from Add until it is done or aborted.
type Request struct {
	ID        uint64
	Prompt    []int32 // token ids, at least one
	MaxTokens int     // tokens to generate, at least 1; there is no other end
	CacheSalt string  // requests share prefixes only with those of the same salt
	Priority  int     // less is sooner, where the scheduler orders by it; default 0

	Generated   int // tokens so far
	Cached      int // prompt tokens found in the prefix cache at the first admission
	Preemptions int // times that the request lost its blocks and started over

	seed      uint64 // of the generated tokens
	computed  int    // tokens whose keys and values are in blocks, or will be after the steps in flight
	published int    // blocks made known to the prefix cache
	blocks    []*block
	hashes    []blockHash
	running   bool
	ended     bool // done or aborted

	inFlight int // tokens that steps in flight compute
	pending  int // tokens that they will generate
	stale    int // of inFlight: tokens from before the last preemption
}

// NewRequest returns a request whose output is a function of its prompt, as
// greedy decoding's is.
func NewRequest(id uint64, prompt []int32, maxTokens int, salt string) *Request {
	seed := uint64(len(prompt))
	for _, t := range prompt {
		seed = mix(seed + uint64(uint32(t)))
	}
	return &Request{ID: id, Prompt: prompt, MaxTokens: maxTokens, CacheSalt: salt, seed: seed}
}

// Tokens returns how many tokens the sequence has: prompt and generated ones.
func (r *Request) Tokens() int { return len(r.Prompt) + r.Generated }

// behind returns how many tokens r is behind, those counted that are to come.
func (r *Request) behind() int { return r.Tokens() + r.pending - r.computed }

// lastInFlight reports whether a step in flight generates r's last token.
func (r *Request) lastInFlight() bool {
	return r.pending > 0 && r.Generated+r.pending >= r.MaxTokens
}

// launch notes that a step with w is in flight.
func (r *Request) launch(w Work) {
	r.computed += w.Tokens
	r.inFlight += w.Tokens
	if w.Sample {
		r.pending++
	}
}

// land notes that the step with w has ended. A preemption has forgotten the
// tokens that were pending then.
func (r *Request) land(w Work) {
	r.inFlight -= w.Tokens
	if r.stale > 0 {
		r.stale -= w.Tokens
	} else if w.Sample {
		r.pending--
	}
}

// Token returns the sequence's token at position i, of the prompt or of the output.
func (r *Request) Token(i int) int32 {
	if i < len(r.Prompt) {
		return r.Prompt[i]
	}
	return r.Output(i - len(r.Prompt))
}

// Output returns the i-th generated token. It holds for any i: all tokens are
// determined beforehand.
func (r *Request) Output(i int) int32 {
	return minWordID + int32(mix(r.seed+uint64(i))%numWords)
}

// mix is the finalizer of splitmix64 (Steele, Lea, Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
