package bench

import (
	"strings"

	"vllmbench/client"
	"vllmbench/internal/engine"
	"vllmbench/internal/measure"
)

// learnManners decides whether vLLM's own fields are sent. To a server that is no vLLM it
// sends two small requests: does it do what those fields say, and does it keep connections?
func (s *session) learnManners() {
	if s.info.Kind == engine.VLLM || s.info.Kind == engine.VLLMSim {
		s.extensions = flags.extensions != "off"
		return
	}
	small := func() client.Result {
		return s.client.Generate(s.ctx, s.request(measure.Cell{PromptTokens: 8, OutputTokens: 8}))
	}
	s.extensions = flags.extensions != "off"
	first := small()
	if flags.extensions == "auto" && first.Outcome != client.OK {
		s.extensions = false
		first = small()
	}
	second := small()
	s.closes = first.Outcome == client.OK && second.Outcome == client.OK && !second.Reused
}

// unproven names what a vLLM would prove and this server does not, for the header.
func (s *session) unproven() (what []string) {
	if s.tongue != nil && s.tongue.inexact != nil {
		what = append(what, "that prompts are as long as asked (prompt-tok/req says how long they were)")
	}
	if !s.extensions {
		what = append(what, "that outputs are as long as asked (out-tok/req says how long they were)")
	}
	if !s.info.Counters {
		return append(what, "that the server counted what we did, and had no prompt in its cache", "the server's own TTFT and ITL")
	}
	if len(s.info.Uncounted) > 0 {
		what = append(what, "the ledger of "+strings.Join(s.info.Uncounted, " and "))
	}
	if s.info.Untimed {
		what = append(what, "the server's own TTFT and ITL")
	}
	return what
}
