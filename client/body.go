package client

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// patch sets in body, a request as go-openai wrote it, what go-openai cannot
// say: token ids, a temperature of zero, and vLLM's own fields. Every
// sampling parameter is explicit, so that no default of the server's decides.
func (r *Request) patch(body []byte, model string) ([]byte, error) {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, fmt.Errorf("patching the request: %w", err)
	}
	set := func(key string, v any) {
		raw, _ := json.Marshal(v) // strings, numbers and booleans marshal
		m[key] = raw
	}
	set("model", model)
	if r.IDs != nil {
		m["prompt"] = appendIDs(make([]byte, 0, 6*len(r.IDs)+2), r.IDs)
	}
	set("max_tokens", r.OutputTokens)
	set("temperature", 0)
	set("top_p", 1)
	set("presence_penalty", 0)
	set("frequency_penalty", 0)
	set("seed", 0)
	if r.Extensions {
		set("top_k", 0)
		set("min_p", 0)
		set("repetition_penalty", 1)
		if r.CacheSalt != "" {
			set("cache_salt", r.CacheSalt)
		}
		if r.Exact {
			set("ignore_eos", true)
			set("min_tokens", r.OutputTokens)
		}
	}
	if r.ReturnIDs {
		set("return_token_ids", true)
	}
	if r.NoPromptCache {
		set("cache_prompt", false)
	}
	if r.ContinuousUsage {
		m["stream_options"] = json.RawMessage(`{"include_usage":true,"continuous_usage_stats":true}`)
	}
	return json.Marshal(m)
}

func appendIDs(b []byte, ids []int) []byte {
	b = append(b, '[')
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(id), 10)
	}
	return append(b, ']')
}
