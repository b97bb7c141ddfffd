package client

import "time"

// An Endpoint is the API that a request is sent to.
type Endpoint int

const (
	Completions Endpoint = iota // /v1/completions
	Chat                        // /v1/chat/completions
)

func (e Endpoint) String() string {
	if e == Chat {
		return "chat"
	}
	return "completions"
}

// A Message is one turn of a conversation.
type Message struct {
	Role    string // "system", "user" or "assistant"
	Content string
}

// A Request is one streamed generation.
type Request struct {
	Endpoint Endpoint

	// Model is the name by which the server serves the model, or an adapter of
	// it. Empty: Config.Model.
	Model string

	// IDs is the prompt as token ids. Only Completions takes it. If nil, Text is sent.
	IDs  []int
	Text string

	// Messages is the conversation so far, the user's turn last. Only Chat takes
	// it. If nil, Text is sent as the only message.
	Messages []Message

	// OutputTokens is the number of tokens to generate (max_tokens).
	OutputTokens int

	// PromptTokens is the prompt's length by which the server's usage is checked, in tokens.
	// 0 means that the length is not known beforehand.
	PromptTokens int

	// Exact asks for exactly OutputTokens tokens (ignore_eos, min_tokens) and
	// makes any other number the outcome WrongLength.
	Exact bool

	// Extensions allows fields that vLLM added to OpenAI's API (top_k, min_p,
	// repetition_penalty, cache_salt, ignore_eos, min_tokens). A server that
	// checks its input refuses them.
	Extensions bool

	// CacheSalt separates this request's blocks in the server's prefix cache.
	CacheSalt string

	// ReturnIDs asks for the ids of the generated tokens (return_token_ids), which vLLM
	// lists in each event, for Result.OutputIDs. A server that checks its input refuses it.
	ReturnIDs bool

	// Turn is the request's place in its conversation, from 1 on; 0 if it is in none.
	Turn int

	// Seen is how many tokens at the begin of the prompt the server has had in an
	// earlier request with the same salt, so that its prefix cache may hold them.
	Seen int

	// NoPromptCache keeps llama.cpp's server from taking up what the slot still
	// holds of an earlier prompt (cache_prompt). Others may refuse it.
	NoPromptCache bool

	// ContinuousUsage asks for usage on every event, which costs the server
	// time: only for servers whose events carry more than one token.
	ContinuousUsage bool

	// Intended is when the request is due in an open loop, since the client's
	// epoch. 0 means when Generate is called, and that latencies count from the sending.
	Intended time.Duration
}
