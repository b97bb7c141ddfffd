package vllmsim

// A completion answers /v1/completions.
type completion struct{ reply }

func newCompletion(g *generation, j *job, modelJSON string) answer {
	return &completion{newReply(g, j, newID("cmpl-"), "text_completion", "text_completion", modelJSON)}
}

func (c *completion) appendOpening(b []byte) []byte { return b }

func (c *completion) appendTokens(b []byte, i, j int) []byte {
	b = append(append(b, c.head...), `,"choices":[{"index":0,"text":"`...)
	b = c.appendText(b, i, j)
	b = append(b, `","logprobs":null,"finish_reason":`...)
	b = append(b, c.finishReason(j)...)
	b = append(b, `,"stop_reason":null,"prompt_token_ids":`...)
	if i == 0 {
		b = c.appendPromptIDs(b)
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"token_ids":`...)
	b = c.appendTokenIDs(b, i, j)
	b = append(b, "}]"...)
	if c.continuousUsage {
		b = append(c.appendUsageField(b, j), '}')
	}
	if c.endsHere(j) {
		b = append(b, fingerprint...)
	}
	return append(b, "}\n\n"...)
}

func (c *completion) appendWhole(b []byte) []byte {
	b = append(append(b, c.body...), `,"choices":[{"index":0,"text":"`...)
	b = c.appendText(b, 0, c.maxTokens)
	b = append(b, `","logprobs":null,"finish_reason":`...)
	b = append(b, c.finishReason(c.maxTokens)...)
	b = append(b, `,"stop_reason":null,"token_ids":`...)
	b = c.appendTokenIDs(b, 0, c.maxTokens)
	b = append(b, `,"prompt_logprobs":null,"prompt_token_ids":`...)
	b = c.appendPromptIDs(b)
	b = append(b, `,"routed_experts":null}]`...)
	b = c.appendWholeUsage(b)
	return append(b, `,"kv_transfer_params":null,"ec_transfer_params":null,"metrics":null}`...)
}
