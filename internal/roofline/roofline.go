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

// Work is the least that a step must move and compute. No sequences are no work.
type Work struct {
	Bytes float64 // of device memory, read or written
	FLOPs float64 // operations: a multiplication and an addition are two
}

// Step returns the work of one step over seqs: the weights are read once, the
// KV cache once for each sequence.
func (m Model) Step(seqs []Sequence) Work {
	if len(seqs) == 0 {
		return Work{}
	}
	w := Work{Bytes: m.WeightBytes()}
	for _, s := range seqs {
		w.Bytes += m.kvBytes(s)
		w.FLOPs += m.flops(s)
	}
	return w
}

// Decode returns the work of one decode step of batch sequences, each of
// context tokens with the one that is computed, so at least 1.
func (m Model) Decode(batch, context int) Work {
	seqs := make([]Sequence, batch)
	for i := range seqs {
		seqs[i] = Sequence{Context: max(0, context-1), New: 1, Sample: true}
	}
	return m.Step(seqs)
}

// Prefill returns the work of computing prompts of these lengths, in tokens,
// up to the first token of each. It is that of a single step; a server that
// cuts prompts into chunks reads the weights again for each.
func (m Model) Prefill(prompts ...int) Work {
	seqs := make([]Sequence, len(prompts))
	for i, n := range prompts {
		seqs[i] = Sequence{New: n, Sample: true}
	}
	return m.Step(seqs)
}

// DecodeFloor returns the least time of a decode step; see [Model.Decode].
func DecodeFloor(m Model, gpu GPU, batch, context int) time.Duration {
	return m.Decode(batch, context).Floor(gpu)
}

// PrefillFloor returns the least time in which all of the prompts can have
// their first token; see [Model.Prefill].
func PrefillFloor(m Model, gpu GPU, prompts ...int) time.Duration {
	return m.Prefill(prompts...).Floor(gpu)
}

// Floor returns the least time in which gpu does the work.
func (w Work) Floor(gpu GPU) time.Duration {
	seconds := max(w.Bytes/gpu.Bandwidth, w.FLOPs/gpu.FLOPS)
	return time.Duration(seconds * float64(time.Second))
}

// Bound returns which of gpu's peaks makes the floor: "memory" or "compute".
func (w Work) Bound(gpu GPU) string {
	if w.FLOPs/gpu.FLOPS > w.Bytes/gpu.Bandwidth {
		return "compute"
	}
	return "memory"
}

// Intensity returns the arithmetic intensity, in operations a byte. Compute
// bounds it on a GPU whose FLOPS/Bandwidth is less.
func (w Work) Intensity() float64 { return w.FLOPs / w.Bytes }

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
