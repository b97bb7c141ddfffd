package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// A first completion may have to wait for the server's kernels to be built.
const firstCompletion = 6 // times the wait for any other answer

// A tokenized is vLLM's answer to POST /tokenize.
type tokenized struct {
	Tokens      []int `json:"tokens"`
	MaxModelLen int   `json:"max_model_len"` // tokens
}

// Tokenize returns the ids of the tokens of text by the server's own
// tokenizer, without special tokens such as the beginning of a sequence.
// It fails if the server does not offer POST /tokenize as vLLM or llama.cpp does.
func (c *Client) Tokenize(ctx context.Context, model, text string) ([]int, error) {
	a, err := c.askTokens(ctx, model, text)
	if err != nil {
		return nil, err
	}
	t, err := c.readTokens(a)
	if err != nil {
		return nil, fmt.Errorf("%s does not tokenize (POST /tokenize: %w): use text prompts", a.base, err)
	}
	return t.Tokens, nil
}

// askTokens asks as vLLM has it, and, where that brings nothing, as llama.cpp does.
func (c *Client) askTokens(ctx context.Context, model, text string) (*answer, error) {
	in := map[string]any{"model": model, "prompt": text, "add_special_tokens": false}
	a, err := c.post(ctx, "/tokenize", in, c.timeout())
	if err != nil || a.server != string(LlamaCPP) {
		return a, err
	}
	return c.post(ctx, "/tokenize", map[string]any{"content": text, "add_special": false}, c.timeout())
}

func (c *Client) readTokens(a *answer) (*tokenized, error) {
	var t tokenized
	if err := c.decode(a, &t); err != nil {
		return nil, err
	}
	if len(t.Tokens) == 0 || slices.Min(t.Tokens) < 0 {
		return nil, errors.New("its answer has no token ids")
	}
	return &t, nil
}

// tokens finds out whether the server tokenizes and takes prompts of token ids.
func (c *Client) tokens(ctx context.Context, i *Info) {
	a, err := c.askTokens(ctx, i.Model, "one two three")
	var t *tokenized
	if err == nil {
		t, err = c.readTokens(a)
	}
	if err != nil {
		c.missing(i, "POST /tokenize", err)
		return
	}
	if i.MaxModelLen == 0 {
		i.MaxModelLen = t.MaxModelLen
	}
	if err := c.complete(ctx, i.Model, t.Tokens); err != nil {
		c.missing(i, "token ids in POST /v1/completions", err)
		return
	}
	i.TokenIDs = true
}

// complete asks for one token after ids, and fails if the server did not
// count each id as one token of the prompt.
func (c *Client) complete(ctx context.Context, model string, ids []int) error {
	var out struct {
		Usage struct {
			PromptTokens int `json:"prompt_tokens"`
		} `json:"usage"`
	}
	in := map[string]any{"model": model, "prompt": ids, "max_tokens": 1, "temperature": 0}
	a, err := c.post(ctx, "/v1/completions", in, firstCompletion*c.timeout())
	if err != nil {
		return err
	}
	if err := c.decode(a, &out); err != nil {
		return err
	}
	if n := out.Usage.PromptTokens; n != len(ids) {
		return fmt.Errorf("%d ids were counted as %d tokens", len(ids), n)
	}
	return nil
}
