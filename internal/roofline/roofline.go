// Package roofline gives the least time that a model's work takes on a GPU.
//
// A step of inference must read its bytes and do its operations, and on an
// ideal GPU both overlap fully: the floor is the longer of the two. What a
// server needs beyond that is not in here, so a measured time below the floor
// is wrong, and the distance above it is the server's.
//
// The formulas are those of kipply, "Transformer Inference Arithmetic" (2022),
// for grouped-query attention and a gated feed-forward network.
package roofline

import "time"

// A Sequence is the part of one request that a step computes.
type Sequence struct {
	Context int  // tokens whose keys and values are in the KV cache already
	New     int  // tokens to compute
	Sample  bool // whether the step ends with this sequence's logits
}

// Step returns the least time in which gpu computes one step of m over seqs:
// the weights are read once, the KV cache once for each sequence.
// No sequences take no time.
func Step(m Model, gpu GPU, seqs []Sequence) time.Duration {
	if len(seqs) == 0 {
		return 0
	}
	var flops float64
	bytes := m.WeightBytes()
	for _, s := range seqs {
		bytes += m.kvBytes(s)
		flops += m.flops(s)
	}
	seconds := max(bytes/gpu.Bandwidth, flops/gpu.FLOPS)
	return time.Duration(seconds * float64(time.Second))
}

// kvBytes returns the bytes of KV cache that s touches: the context is read,
// the new tokens are written.
func (m Model) kvBytes(s Sequence) float64 {
	return float64(s.Context+s.New) * m.KVBytesPerToken()
}

// flops returns the operations that s needs. A token attends to itself and to
// all before it, so n tokens on a context of c attend to n*c + n(n+1)/2. Only
// a sampled position goes through the output matrix.
func (m Model) flops(s Sequence) float64 {
	n, c := float64(s.New), float64(s.Context)
	layers := float64(m.Layers)
	total := 2 * n * layers * m.layerParams()
	total += 4 * layers * float64(m.Heads*m.HeadDim) * (n*c + n*(n+1)/2)
	if s.Sample {
		total += 2 * m.embeddingParams()
	}
	return total
}
