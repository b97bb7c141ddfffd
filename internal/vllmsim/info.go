package vllmsim

import "net/http"

// models lists the model that is served, and its adapters.
func (s *Server) models(w http.ResponseWriter, _ *http.Request) {
	type model struct {
		ID          string  `json:"id"`
		Object      string  `json:"object"`
		Created     int64   `json:"created"`
		OwnedBy     string  `json:"owned_by"`
		Root        string  `json:"root"`
		Parent      *string `json:"parent"`
		MaxModelLen *int    `json:"max_model_len"`
	}
	all := []model{{
		ID: s.ServedModelName, Object: "model", Created: s.created.Unix(), OwnedBy: "vllm",
		Root: s.Model, MaxModelLen: &s.MaxModelLen,
	}}
	for _, a := range s.LoRAModules {
		all = append(all, model{ID: a.Name, Object: "model", Created: s.created.Unix(), OwnedBy: "vllm", Root: a.Path, Parent: &s.ServedModelName})
	}
	writeJSON(w, http.StatusOK, struct {
		Object string  `json:"object"`
		Data   []model `json:"data"`
	}{"list", all})
}

// serverInfo tells the configuration under vLLM's keys, as far as there is one.
func (s *Server) serverInfo(w http.ResponseWriter, _ *http.Request) {
	type object = map[string]any
	writeJSON(w, http.StatusOK, object{
		"vllm_config": object{
			"model_config": object{
				"model": s.Model, "served_model_name": s.ServedModelName, "dtype": "torch.bfloat16",
				"max_model_len": s.MaxModelLen, "seed": 0, "enforce_eager": false, "quantization": nil,
			},
			"cache_config": object{
				"block_size": s.Limits.BlockSize, "gpu_memory_utilization": s.GPUMemoryUtilization,
				"cache_dtype": s.KVCacheDType, "enable_prefix_caching": s.Limits.PrefixCaching, "prefix_caching_hash_algo": "sha256",
				"num_gpu_blocks": s.Limits.NumBlocks, "kv_cache_size_tokens": s.Limits.NumBlocks * s.Limits.BlockSize,
			},
			"scheduler_config": object{
				"max_num_seqs": s.Limits.MaxNumSeqs, "max_num_batched_tokens": s.Limits.MaxNumBatchedTokens,
				"enable_chunked_prefill": !s.NoChunkedPrefill, "policy": s.SchedulingPolicy, "async_scheduling": !s.NoAsyncScheduling,
				"stream_interval": s.StreamInterval, "long_prefill_token_threshold": s.LongPrefillTokenThreshold,
				"scheduler_reserve_full_isl": !s.NoReserveFullISL, "watermark": s.Watermark,
			},
			"parallel_config": object{"tensor_parallel_size": s.TensorParallelSize, "pipeline_parallel_size": 1, "data_parallel_size": 1},
			"device_config":   object{"device": "vllmsim"},
			"drift_config":    object{"drift": s.Drift, "drift_over": s.DriftOver.String()}, // not vLLM's: a fault
		},
		"vllm_env":   object{},
		"system_env": object{"gpu": s.gpu.Name},
	})
}
