package vllmsim

// A chat answers /v1/chat/completions.
type chat struct{ reply }

func newChat(g *generation, j *job, modelJSON string) answer {
	return &chat{newReply(g, j, newID("chatcmpl-"), "chat.completion", "chat.completion.chunk", modelJSON)}
}

// appendOpening is the event that names the role. vLLM sends it with the first
// token, not before.
func (c *chat) appendOpening(b []byte) []byte {
	b = append(append(b, c.head...), `,"choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]`...)
	b = c.appendContinuous(b, 0)
	b = append(b, `,"prompt_token_ids":`...)
	b = c.appendPromptIDs(b)
	return append(b, `,"prompt_text":null}`+"\n\n"...)
}

func (c *chat) appendTokens(b []byte, i, j int) []byte {
	b = append(append(b, c.head...), `,"choices":[{"index":0,"delta":{"`...)
	b = append(b, c.key(i)...)
	b = append(b, `":"`...)
	b = c.appendText(b, i, j)
	b = append(b, `"},"logprobs":null,"finish_reason":`...)
	b = append(b, c.finishReason(j)...)
	if j == c.maxTokens {
		b = append(b, `,"stop_reason":null`...)
	}
	b = append(b, `,"token_ids":`...)
	b = c.appendTokenIDs(b, i, j)
	b = append(b, "}]"...)
	b = c.appendContinuous(b, j)
	if c.endsHere(j) {
		b = append(b, fingerprint...)
	}
	return append(b, "}\n\n"...)
}

// key is where the text of output token i is.
func (c *chat) key(i int) string {
	if i < c.thoughts {
		return c.thinking
	}
	return "content"
}

// appendContinuous appends the usage so far, with a key that the final usage
// does not have.
func (c *chat) appendContinuous(b []byte, n int) []byte {
	if !c.continuousUsage {
		return b
	}
	return append(c.appendUsageField(b, n), `,"completion_tokens_details":null}`...)
}

func (c *chat) appendWhole(b []byte) []byte {
	b = append(append(b, c.body...), `,"choices":[{"index":0,"message":{"role":"assistant","content":"`...)
	b = c.appendText(b, 0, c.maxTokens)
	b = append(b, `","refusal":null,"annotations":null,"audio":null,"function_call":null,"reasoning":null}`...)
	b = append(b, `,"logprobs":null,"finish_reason":`...)
	b = append(b, c.finishReason(c.maxTokens)...)
	b = append(b, `,"stop_reason":null,"token_ids":`...)
	b = c.appendTokenIDs(b, 0, c.maxTokens)
	b = append(b, `,"routed_experts":null}]`...)
	b = c.appendWholeUsage(b)
	b = append(b, `,"prompt_logprobs":null,"prompt_token_ids":`...)
	b = c.appendPromptIDs(b)
	return append(b, `,"prompt_text":null,"kv_transfer_params":null,"ec_transfer_params":null,"metrics":null}`...)
}
