package engine

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSettings(t *testing.T) {
	cache := map[string]string{"block_size": "128", "num_gpu_blocks": "8192", "cache_dtype": "auto", "gpu_memory_utilization": "None"}
	fromCache := []string{"block-size=128", "num-gpu-blocks=8192", "kv-cache-dtype=auto"}
	for name, c := range map[string]struct {
		server string
		want   []string
	}{
		"no /server_info":    {"", fromCache},
		"text of old vLLM":   {`{"vllm_config":"model='m', seed=0"}`, fromCache},
		"config in sections": {`{"vllm_config":{"scheduler_config":{"max_num_seqs":8},"model_config":{"dtype":"torch.bfloat16"}}}`, []string{"max-num-seqs=8", "block-size=128", "num-gpu-blocks=8192", "kv-cache-dtype=auto", "dtype=bfloat16"}},
		"the section wins":   {`{"vllm_config":{"cache_config":{"block_size":16}}}`, []string{"block-size=16", "num-gpu-blocks=8192", "kv-cache-dtype=auto"}},
		"hostile words":      {`{"vllm_config":{"model_config":{"dtype":"a\nb"}}}`, append(fromCache[:3:3], "dtype=a b")},
	} {
		i := &Info{CacheConfig: cache, ServerInfo: json.RawMessage(c.server)}
		assert.Equal(t, c.want, i.Settings(), name)
	}
}
