package prompt

import "fmt"

// A Conversation makes the prompts of one dialogue: each holds all that was said
// before it, as a chat's client sends it. It is for prompts of ids only.
type Conversation struct {
	source *Source
	ids    []int
}

// Conversation begins a dialogue. It fails for a source of text: what a server
// makes of the text of its own answer need not be the ids that it generated.
func (s *Source) Conversation() (*Conversation, error) {
	if s.texts != nil {
		return nil, needIDs("conversations")
	}
	return &Conversation{source: s}, nil
}

// Turn returns the next prompt: all that was said so far, and so many new tokens, 1 or more.
func (c *Conversation) Turn(tokens int) Prompt {
	p := c.source.Next(tokens)
	c.ids = append(c.ids, p.IDs...)
	p.IDs = append([]int(nil), c.ids...) // requests in flight keep theirs
	p.Tokens = len(p.IDs)
	return p
}

// Answer takes the ids that the server generated for the latest prompt.
func (c *Conversation) Answer(ids []int) { c.ids = append(c.ids, ids...) }

// Forget ends the dialogue: the next turn is the first one of another.
func (c *Conversation) Forget() { c.ids = nil }

// Said is the number of tokens so far, the server's included.
func (c *Conversation) Said() int { return len(c.ids) }

func needIDs(what string) error {
	return fmt.Errorf("%s need prompts of token ids: use the endpoint completions, and a server that has POST /tokenize and takes ids", what)
}
