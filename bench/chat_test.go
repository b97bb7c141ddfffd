package bench

import (
	"fmt"
	"io"
	"slices"

	"vllmbench/client"
	"vllmbench/internal/measure"
)

// A tongue is how text prompts come to their length.
type tongue struct {
	template int      // tokens that the chat template adds to a message
	least    int      // tokens of the shortest prompt of an exact length
	inexact  error    // why lengths are not exact; nil: they are
	about    []string // cells whose prompts could not be made exact, and why
}

// count is how many tokens the server makes of a text as a whole prompt.
func (s *session) count(text string) (int, error) {
	return s.engine.Count(s.ctx, s.info.Model, text, s.endpoint == client.Chat)
}

// learnTongue asks the server's tokenizer how long text prompts are, and what
// the chat template adds to them.
func (s *session) learnTongue() {
	t := &tongue{}
	s.tongue = t
	if t.least, t.inexact = s.prompts.Align(s.count); t.inexact != nil || s.endpoint != client.Chat {
		return
	}
	const sample = "one two three"
	whole, err := s.count(sample)
	if err == nil {
		var ids []int
		ids, err = s.engine.Tokenize(s.ctx, s.info.Model, sample)
		t.template = whole - len(ids)
	}
	t.inexact = err
}

// fit makes ready, off the clock, prompts of the cell's very length.
func (s *session) fit(c measure.Cell) {
	t := s.tongue
	if t == nil || t.inexact != nil {
		return
	}
	if err := s.prompts.Fit(c.PromptTokens, s.count); err != nil {
		if line := fmt.Sprintf("%s: about as long as asked: %v", c.Name, err); !slices.Contains(t.about, line) {
			t.about = append(t.about, line)
		}
	}
}

// tooShort says why no prompt can be as short as the cell's, or "".
func (t *tongue) tooShort(c measure.Cell) string {
	if t == nil || t.inexact != nil || c.PromptTokens >= t.least {
		return ""
	}
	if t.template == 0 {
		return fmt.Sprintf("the shortest text prompt has %d tokens", t.least)
	}
	return fmt.Sprintf("the chat template takes %d tokens, so the shortest prompt has %d", t.template, t.least)
}

// says are the lines of the header.
func (t *tongue) says() (lines []string) {
	switch {
	case t == nil:
		return nil
	case t.inexact != nil:
		return []string{fmt.Sprintf("prompt lengths: about as asked: %v", t.inexact)}
	case t.template > 0:
		lines = append(lines, fmt.Sprintf("chat template: adds %d tokens to a message, which are among the prompt tokens asked for", t.template))
	}
	return append(lines, "prompt lengths: exact by the server's own tokenizer, asked before the load, and checked by the usage of each answer; a cell for which no text fits is named at the end")
}

// footer names the cells that are not what the header says.
func (t *tongue) footer(w io.Writer) {
	if t == nil {
		return
	}
	for _, line := range t.about {
		fmt.Fprintf(w, "# prompt lengths of %s\n", line)
	}
}

// lengths is the part of the workload that says how long prompts are.
func (t *tongue) lengths() string {
	if t != nil && t.inexact == nil {
		return "text prompts of exact length"
	}
	return "text prompts"
}
