package engine

import (
	"encoding/json"
	"fmt"
	"strings"
)

// settings are the places in vLLM's /server_info of what one changes between
// runs, and the names of the flags that change it.
var settings = []struct{ section, key, flag string }{
	{"scheduler_config", "max_num_seqs", "max-num-seqs"},
	{"scheduler_config", "max_num_batched_tokens", "max-num-batched-tokens"},
	{"scheduler_config", "enable_chunked_prefill", "enable-chunked-prefill"},
	{"cache_config", "enable_prefix_caching", "enable-prefix-caching"},
	{"cache_config", "gpu_memory_utilization", "gpu-memory-utilization"},
	{"cache_config", "block_size", "block-size"},
	{"cache_config", "num_gpu_blocks", "num-gpu-blocks"},
	{"cache_config", "cache_dtype", "kv-cache-dtype"},
	{"model_config", "dtype", "dtype"},
	{"model_config", "max_model_len", "max-model-len"},
	{"parallel_config", "tensor_parallel_size", "tensor-parallel-size"},
	{"parallel_config", "data_parallel_size", "data-parallel-size"},
}

// Settings lists, as "flag=value", what the server tells of its settings: all
// of them in /server_info, those of the cache in its metrics.
func (i *Info) Settings() []string {
	var info struct {
		Config map[string]json.RawMessage `json:"vllm_config"`
	}
	_ = json.Unmarshal(i.ServerInfo, &info) // older releases have a text there
	var out []string
	for _, s := range settings {
		value := i.CacheConfig[s.key]
		var section map[string]any
		if json.Unmarshal(info.Config[s.section], &section) == nil && section[s.key] != nil {
			value = Clean(fmt.Sprint(section[s.key]))
		}
		if value != "" && value != "None" {
			out = append(out, s.flag+"="+strings.TrimPrefix(value, "torch."))
		}
	}
	return out
}
