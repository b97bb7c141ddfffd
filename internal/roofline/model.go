package roofline

// A Model is the shape of a dense decoder, as its config.json has it.
type Model struct {
	Name         string `json:"name"`
	Layers       int    `json:"layers"`
	Hidden       int    `json:"hidden"`             // width of the residual stream
	Intermediate int    `json:"intermediate"`       // width of the gated feed-forward network
	Heads        int    `json:"heads"`              // query heads
	KVHeads      int    `json:"kv_heads"`           // key and value heads
	HeadDim      int    `json:"head_dim"`           // width of a head
	Vocab        int    `json:"vocab"`              // rows of the embedding
	Tied         bool   `json:"tied,omitempty"`     // input and output embedding are one matrix
	QKVBias      bool   `json:"qkv_bias,omitempty"` // the query, key and value projections have biases
	QKNorm       bool   `json:"qk_norm,omitempty"`  // each head's queries and keys are normalised
	MaxPositions int    `json:"max_positions"`      // longest context, in tokens

	BytesPerWeight int `json:"bytes_per_weight"` // 2 for bf16
	BytesPerKV     int `json:"bytes_per_kv"`     // 2 for bf16
}

// layerParams counts the matrix parameters of one layer: query and output
// projection, keys and values, and the three matrices of the feed-forward network.
func (m Model) layerParams() float64 {
	q, kv := m.Heads*m.HeadDim, m.KVHeads*m.HeadDim
	return float64(2*m.Hidden*q + 2*m.Hidden*kv + 3*m.Hidden*m.Intermediate)
}

func (m Model) embeddingParams() float64 { return float64(m.Vocab) * float64(m.Hidden) }

// Params returns the number of parameters, norms and biases included.
func (m Model) Params() float64 {
	small := float64((2*m.Layers + 1) * m.Hidden)
	if m.QKVBias {
		small += float64(m.Layers * (m.Heads + 2*m.KVHeads) * m.HeadDim)
	}
	if m.QKNorm {
		small += float64(m.Layers * 2 * m.HeadDim)
	}
	embeddings := 2.0
	if m.Tied {
		embeddings = 1
	}
	return float64(m.Layers)*m.layerParams() + embeddings*m.embeddingParams() + small
}

// ResidentBytes returns the bytes of GPU memory that the weights take.
func (m Model) ResidentBytes() float64 { return m.Params() * float64(m.BytesPerWeight) }

// WeightBytes returns the bytes of weights that one step reads. The input
// embedding is not among them: a step gathers a row of it for each token.
func (m Model) WeightBytes() float64 {
	return (float64(m.Layers)*m.layerParams() + m.embeddingParams()) * float64(m.BytesPerWeight)
}

// KVBytesPerToken returns the bytes of keys and values that one token leaves
// in the KV cache.
func (m Model) KVBytesPerToken() float64 {
	return float64(2 * m.Layers * m.KVHeads * m.HeadDim * m.BytesPerKV)
}
