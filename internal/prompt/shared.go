package prompt

// A Shared makes prompts of ids that begin alike. It is safe for concurrent use.
type Shared struct {
	source *Source
	ids    []int // common to all
}

// Shared returns prompts of which the first tokens, so many, are common to
// all; 0 are none. The common part is a new one with every call: no other prompt of this
// run or of another begins like it, as Next says.
//
// It fails for a source of text, of which only the server knows how many tokens are common.
func (s *Source) Shared(tokens int) (*Shared, error) {
	if s.texts != nil {
		return nil, needIDs("shared prefixes")
	}
	return &Shared{source: s, ids: s.Next(tokens).IDs}, nil
}

// Next returns a prompt of so many tokens, the common part included and at
// least one more. What follows that part is new: of n prompts in a row, where n
// is the number of safe ids, no two go on alike.
func (g *Shared) Next(tokens int) Prompt {
	p := g.source.Next(max(tokens-len(g.ids), 1))
	p.IDs = append(g.ids[:len(g.ids):len(g.ids)], p.IDs...)
	p.Tokens = len(p.IDs)
	return p
}
