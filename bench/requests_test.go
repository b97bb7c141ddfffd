package bench

import (
	"vllmbench/client"
	"vllmbench/internal/engine"
	"vllmbench/internal/measure"
	"vllmbench/internal/prompt"
)

// next makes the requests of a cell: new prompts, all of the cell's lengths.
func (s *session) next(c measure.Cell) func() client.Request {
	return func() client.Request { return s.request(c) }
}

// request is one with a new prompt, of the cell's lengths.
func (s *session) request(c measure.Cell) client.Request {
	return s.asks(c, s.prompts.Next(c.PromptTokens))
}

// asks is the cell's request with that prompt.
func (s *session) asks(c measure.Cell, p prompt.Prompt) client.Request {
	r := client.Request{
		Endpoint:      s.endpoint,
		IDs:           p.IDs,
		Text:          p.Text,
		PromptTokens:  p.Tokens,
		OutputTokens:  c.OutputTokens,
		Exact:         s.extensions,
		Extensions:    s.extensions,
		NoPromptCache: s.info.Kind == engine.LlamaCPP,
	}
	if s.extensions {
		r.CacheSalt = p.Salt
		r.ContinuousUsage = s.continuous[c.Name]
	}
	return r
}
