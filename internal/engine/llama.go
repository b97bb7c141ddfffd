package engine

import "strings"

// llama.cpp's server counts in families of its own, and less than vLLM:
// neither finished requests, nor preemptions, nor histograms.
const llamaFamilies = "llamacpp:"

// counted says whether a family is one of those that are read.
func counted(family string) bool {
	return strings.HasPrefix(family, "vllm:") || strings.HasPrefix(family, llamaFamilies)
}

// llama reads llama.cpp's counters. Of the prompt it counts apart what it
// computed and what its slots still held.
func (p page) llama() Counters {
	c := Counters{
		GenerationTokens: sum(p.first("llamacpp:tokens_predicted_total")),
		PrefixHits:       sum(p.first("llamacpp:prompt_tokens_cached_total")),
	}
	computed := sum(p.first("llamacpp:prompt_tokens_total"))
	if computed.Known && c.PrefixHits.Known {
		c.PromptTokens = Value{computed.N + c.PrefixHits.N, true}
		c.PrefixQueries = c.PromptTokens
	}
	return c
}

// speaks says whether the page has families that begin so.
func (p page) speaks(prefix string) bool {
	for name := range p {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
