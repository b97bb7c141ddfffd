package roofline

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// config is what a Hugging Face config.json says of a model's shape.
type config struct {
	ModelType     string          `json:"model_type"`
	Layers        int             `json:"num_hidden_layers"`
	Hidden        int             `json:"hidden_size"`
	Intermediate  int             `json:"intermediate_size"`
	Heads         int             `json:"num_attention_heads"`
	KVHeads       int             `json:"num_key_value_heads"`
	HeadDim       int             `json:"head_dim"`
	Vocab         int             `json:"vocab_size"`
	MaxPositions  int             `json:"max_position_embeddings"`
	Tied          bool            `json:"tie_word_embeddings"`
	AttentionBias bool            `json:"attention_bias"`
	Window        int             `json:"sliding_window"`
	UseWindow     *bool           `json:"use_sliding_window"`
	DType         string          `json:"dtype"`
	TorchDType    string          `json:"torch_dtype"` // dtype's older name
	Quantization  json.RawMessage `json:"quantization_config"`
}

// modelTypes are the architectures whose work these formulas count: dense,
// with a gated feed-forward network and full attention.
func modelTypes() []string { return []string{"llama", "mistral", "qwen2", "qwen3"} }

// ParseModel reads the shape from the model's config.json. Weights and KV cache
// have 2 bytes a value, as vLLM's dtype "auto" makes them whether the
// checkpoint has 16 bits or 32; for another choice, set the Model's fields.
// It refuses what would make the floor wrong: other architectures, mixtures of
// experts among them, quantised weights, and sliding windows.
func ParseModel(name string, configJSON []byte) (Model, error) {
	var c config
	if err := json.Unmarshal(configJSON, &c); err != nil {
		return Model{}, fmt.Errorf("model %s: this is not a config.json of a Hugging Face model: %w", name, err)
	}
	if c.KVHeads == 0 {
		c.KVHeads = c.Heads
	}
	if c.HeadDim == 0 && c.Heads > 0 {
		c.HeadDim = c.Hidden / c.Heads
	}
	if err := c.check(); err != nil {
		return Model{}, fmt.Errorf("model %s: %w", name, err)
	}
	return Model{
		Name: name, Layers: c.Layers, Hidden: c.Hidden, Intermediate: c.Intermediate, Heads: c.Heads, KVHeads: c.KVHeads,
		HeadDim: c.HeadDim, Vocab: c.Vocab, Tied: c.Tied, MaxPositions: c.MaxPositions, BytesPerWeight: 2, BytesPerKV: 2,
		QKVBias: c.ModelType == "qwen2" || c.AttentionBias, QKNorm: c.ModelType == "qwen3",
	}, nil
}

func (c config) check() error {
	if !slices.Contains(modelTypes(), c.ModelType) {
		return fmt.Errorf("model_type %q has no floor here: use one of %s", c.ModelType, strings.Join(modelTypes(), ", "))
	}
	const most = 1 << 20 // beyond any model, and far from overflow
	for _, d := range []struct {
		key   string
		value int
	}{
		{"num_hidden_layers", c.Layers}, {"hidden_size", c.Hidden}, {"intermediate_size", c.Intermediate},
		{"num_attention_heads", c.Heads}, {"num_key_value_heads", c.KVHeads}, {"head_dim", c.HeadDim},
		{"vocab_size", c.Vocab}, {"max_position_embeddings", c.MaxPositions},
	} {
		if d.value < 1 || d.value > most {
			return fmt.Errorf("config.json has %d for %s: it must be 1 to %d", d.value, d.key, most)
		}
	}
	if len(c.Quantization) > 0 && string(c.Quantization) != "null" {
		return fmt.Errorf("quantised weights have no floor here: use the config.json of an unquantised checkpoint")
	}
	if c.Window > 0 && c.Window < c.MaxPositions && (c.UseWindow == nil || *c.UseWindow) {
		return fmt.Errorf("a sliding window of %d tokens has no floor here: use a model with full attention", c.Window)
	}
	for _, t := range []string{c.DType, c.TorchDType} {
		if !slices.Contains([]string{"", "bfloat16", "float16", "float32"}, t) {
			return fmt.Errorf("dtype %q has no floor here: use bfloat16, float16 or float32", t)
		}
	}
	return nil
}
