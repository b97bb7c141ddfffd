package bench

import (
	"sync/atomic"

	"vllmbench/client"
	"vllmbench/internal/engine"
	"vllmbench/internal/measure"
	"vllmbench/internal/prompt"
)

// next makes the requests of a cell from the first one on: new prompts, all of
// the cell's lengths, or of those that -lengths draws.
func (s *session) next(c measure.Cell) func() client.Request {
	if !varies(c) {
		return func() client.Request { return s.request(c) }
	}
	lengths := sequence(s.seed())
	var n atomic.Uint64
	return func() client.Request {
		one, at := c, lengths.At(n.Add(1)-1)
		one.PromptTokens, one.OutputTokens = at.Prompt, at.Output
		return s.request(one)
	}
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

// asksModel is the same of the model itself, whatever -models names: the prefix
// cache finds no adapter's blocks for another.
func (s *session) asksModel(c measure.Cell, p prompt.Prompt) client.Request {
	r := s.asks(c, p)
	if len(flags.models) > 0 {
		r.Model = s.info.Model
	}
	return r
}
