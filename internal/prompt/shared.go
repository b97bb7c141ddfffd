package prompt

// A Shared makes prompts that begin alike. It is safe for concurrent use.
type Shared struct {
	source *Source
	ids    []int  // common to all, for prompts of ids
	text   string // the same, for prompts of text
	tokens int    // how many these are, or about how many
}

// Shared returns prompts of which the first tokens, so many, are common to
// all; 0 are none. The common part is a new one with every call: no other prompt of this
// run or of another begins like it, as Next says.
func (s *Source) Shared(tokens int) *Shared {
	g := &Shared{source: s, tokens: tokens}
	switch p := s.Next(tokens); {
	case tokens == 0:
	case s.texts != nil:
		g.text = p.Text + "\n\n"
	default:
		g.ids = p.IDs
	}
	return g
}

// Next returns a prompt of so many tokens, the common part included and at
// least one more. What follows that part is new: of n prompts in a row, where n
// is the number of safe ids or words, no two go on alike.
func (g *Shared) Next(tokens int) Prompt {
	p := g.source.Next(max(tokens-g.tokens, 1))
	if g.source.texts != nil {
		p.Text = g.text + p.Text
		return p
	}
	p.IDs = append(g.ids[:len(g.ids):len(g.ids)], p.IDs...)
	p.Tokens = len(p.IDs)
	return p
}
