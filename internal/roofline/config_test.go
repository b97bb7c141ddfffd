package roofline

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const qwen7B = `{"architectures":["Qwen2ForCausalLM"],"model_type":"qwen2","hidden_size":3584,"intermediate_size":18944,
	"num_hidden_layers":28,"num_attention_heads":28,"num_key_value_heads":4,"vocab_size":152064,"max_position_embeddings":32768,
	"sliding_window":131072,"use_sliding_window":false,"tie_word_embeddings":false,"torch_dtype":"bfloat16"}`

func TestParseModelIsThePreset(t *testing.T) {
	want, err := FindModel("Qwen2.5-7B")
	require.NoError(t, err)
	got, err := ParseModel("Qwen2.5-7B", []byte(qwen7B))
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

// The published checkpoints have these numbers of parameters.
func TestParams(t *testing.T) {
	tests := []struct {
		name   string
		shape  string // type, layers, hidden, intermediate, heads, KV heads, vocabulary
		more   string
		params float64
	}{
		{"Qwen2.5-0.5B", "qwen2 24 896 4864 14 2 151936", `"tie_word_embeddings":true`, 494_032_768},
		{"Qwen3-8B", "qwen3 36 4096 12288 32 8 151936", `"head_dim":128`, 8_190_735_360},
		{"Qwen3-0.6B", "qwen3 28 1024 3072 16 8 151936", `"head_dim":128,"tie_word_embeddings":true`, 596_049_920},
		{"Llama-3.1-8B", "llama 32 4096 14336 32 8 128256", `"head_dim":null,"quantization_config":null`, 8_030_261_248},
		{"Mistral-7B-v0.3", "mistral 32 4096 14336 32 8 32768", `"sliding_window":null`, 7_248_023_552},
		{"Llama-2-7B", "llama 32 4096 11008 32 0 32000", `"dtype":"float16"`, 6_738_415_616},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := ParseModel(tt.name, []byte(configJSON(t, tt.shape, tt.more)))
			require.NoError(t, err)
			assert.Equal(t, tt.params, m.Params())
			assert.Equal(t, 2*tt.params, m.ResidentBytes())
		})
	}
}

func configJSON(t *testing.T, shape, more string) string {
	t.Helper()
	var kind string
	var layers, hidden, intermediate, heads, kvHeads, vocab int
	_, err := fmt.Sscan(shape, &kind, &layers, &hidden, &intermediate, &heads, &kvHeads, &vocab)
	require.NoError(t, err)
	return fmt.Sprintf(`{"model_type":%q,"num_hidden_layers":%d,"hidden_size":%d,"intermediate_size":%d,"num_attention_heads":%d,
		"num_key_value_heads":%d,"vocab_size":%d,"max_position_embeddings":32768,%s}`, kind, layers, hidden, intermediate, heads, kvHeads, vocab, more)
}

func TestParseModelRefuses(t *testing.T) {
	change := func(old, new string) string {
		require.Contains(t, qwen7B, old)
		return strings.Replace(qwen7B, old, new, 1)
	}
	tests := map[string]string{
		"":                               "model m: this is not a config.json of a Hugging Face model: unexpected end of JSON input",
		"[]":                             "this is not a config.json",
		"{}":                             `model m: model_type "" has no floor here: use one of llama, mistral, qwen2, qwen3`,
		change(`"qwen2"`, `"qwen3_moe"`): `model_type "qwen3_moe" has no floor here`,
		change("3584", "0"):              "config.json has 0 for hidden_size: it must be 1 to 1048576",
		change("3584", "-1"):             "config.json has -1 for hidden_size",
		change("3584", "20"):             "config.json has 0 for head_dim",
		change("152064", "99999999"):     "config.json has 99999999 for vocab_size",
		change("false,", "true,"):        "",
		change("bfloat16", "fp8"):        `dtype "fp8" has no floor here: use bfloat16, float16 or float32`,
		change("131072", "4096"):         "",
		configWindow(4096):               "a sliding window of 4096 tokens has no floor here",
		change(`{`, `{"quantization_config":{"quant_method":"awq"},`): "quantised weights have no floor here",
	}
	for in, want := range tests {
		_, err := ParseModel("m", []byte(in))
		if want == "" {
			assert.NoError(t, err, in)
			continue
		}
		assert.ErrorContains(t, err, want, in)
	}
}

// configWindow is a model that uses its sliding window.
func configWindow(tokens int) string {
	return strings.NewReplacer("131072", fmt.Sprint(tokens), `"use_sliding_window":false`, `"use_sliding_window":true`).Replace(qwen7B)
}

// FuzzParseModel checks that whatever is accepted has a floor.
func FuzzParseModel(f *testing.F) {
	f.Add([]byte(qwen7B))
	f.Add([]byte(configWindow(1)))
	f.Add([]byte(`{"model_type":"llama","num_attention_heads":1048576}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := ParseModel("m", in)
		if err != nil {
			return
		}
		require.Positive(t, m.Params())
		require.Positive(t, m.KVBytesPerToken())
		for _, w := range []Work{m.Decode(1, 1), m.Prefill(1, m.MaxPositions)} {
			require.Positive(t, w.FLOPs)
			require.False(t, math.IsInf(w.Bytes, 0))
			require.Positive(t, w.Intensity())
		}
	})
}
