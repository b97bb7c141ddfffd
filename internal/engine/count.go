package engine

import (
	"context"
	"errors"
	"fmt"
)

// Count returns how many tokens the server makes of text: as the whole prompt
// of a completion, special tokens included, or, of a chat, as the message of a user
// within the model's chat template. It asks the server's own tokenizer, and fails if
// that cannot be asked (POST /tokenize; for chats of llama.cpp also POST /apply-template).
func (c *Client) Count(ctx context.Context, model, text string, chat bool) (int, error) {
	in := map[string]any{"model": model, "prompt": text}
	if chat {
		in = map[string]any{"model": model, "messages": messages(text)}
	}
	n, err := c.count(ctx, in)
	if err == nil {
		return n, nil
	}
	templated := text
	if chat {
		if templated, err = c.template(ctx, text); err != nil {
			return 0, fmt.Errorf("the server does not say how long a chat is (%w): its prompts cannot be made of an exact length", err)
		}
	}
	if n, err = c.count(ctx, map[string]any{"content": templated, "add_special": true, "parse_special": true}); err != nil {
		return 0, fmt.Errorf("the server does not say how long a text is (POST /tokenize: %w): its prompts cannot be made of an exact length", err)
	}
	return n, nil
}

func messages(text string) []map[string]string {
	return []map[string]string{{"role": "user", "content": text}}
}

func (c *Client) count(ctx context.Context, in any) (int, error) {
	a, err := c.post(ctx, "/tokenize", in, c.timeout())
	if err != nil {
		return 0, err
	}
	t, err := c.readTokens(a)
	if err != nil {
		return 0, err
	}
	return len(t.Tokens), nil
}

// template is a user's message in the model's chat template, by llama.cpp's server.
func (c *Client) template(ctx context.Context, text string) (string, error) {
	a, err := c.post(ctx, "/apply-template", map[string]any{"messages": messages(text)}, c.timeout())
	if err != nil {
		return "", err
	}
	var out struct{ Prompt string }
	if err := c.decode(a, &out); err != nil {
		return "", fmt.Errorf("POST /apply-template: %w", err)
	}
	if out.Prompt == "" {
		return "", errors.New("POST /apply-template: its answer has no prompt")
	}
	return out.Prompt, nil
}
