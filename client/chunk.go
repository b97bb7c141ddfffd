package client

import "github.com/valyala/fastjson"

// A chunk is what one event of a stream says.
type chunk struct {
	choice bool // has a choice: not the final usage
	bears  bool // carries text, reasoning, a tool call or token ids
	role   bool // opens a chat message: a chunk without text is then no token
	ids    int  // token ids that it lists
	finish string

	usage      bool
	prompt     int
	completion int
	cached     int

	err string // an error that the server reports in the stream
}

// token says whether the event may carry a token: one that ends inside a
// character, or is special, has no text.
func (c *chunk) token() bool { return c.choice && (c.bears || !c.role) }

// parse reads the payload of one event.
func (c *Client) parse(payload []byte) chunk {
	p := c.parsers.Get()
	defer c.parsers.Put(p)
	return parseChunk(p, payload)
}

func parseChunk(p *fastjson.Parser, payload []byte) chunk {
	v, err := p.ParseBytes(payload)
	if err != nil {
		return chunk{err: "an event is not JSON: " + string(payload)}
	}
	if msg, failed := errorIn(v); failed {
		return chunk{err: msg}
	}
	var c chunk
	if u := v.Get("usage"); u != nil && u.Type() == fastjson.TypeObject {
		c.usage = true
		c.prompt = u.GetInt("prompt_tokens")
		c.completion = u.GetInt("completion_tokens")
		c.cached = u.GetInt("prompt_tokens_details", "cached_tokens")
	}
	if choices := v.GetArray("choices"); len(choices) > 0 {
		c.readChoice(choices[0])
	}
	return c
}

func (c *chunk) readChoice(v *fastjson.Value) {
	c.choice = true
	c.finish = finishReason(v.GetStringBytes("finish_reason"))
	c.ids = len(v.GetArray("token_ids"))
	c.bears = c.ids > 0 || len(v.GetStringBytes("text")) > 0
	d := v.Get("delta")
	if d == nil {
		return
	}
	c.role = d.Exists("role")
	// vLLM calls it reasoning since 11/2025, and reasoning_content before.
	for _, key := range [...]string{"content", "reasoning", "reasoning_content", "refusal"} {
		c.bears = c.bears || len(d.GetStringBytes(key)) > 0
	}
	c.bears = c.bears || len(d.GetArray("tool_calls")) > 0
}

// finishReason is string(b) without an allocation for the common ones.
func finishReason(b []byte) string {
	switch string(b) {
	case "":
		return ""
	case "length":
		return "length"
	case "stop":
		return "stop"
	}
	return string(b)
}

// errorIn finds an error in either of vLLM's shapes: {"error": {"message": ...}},
// and {"object": "error", "message": ...} of older releases.
func errorIn(v *fastjson.Value) (msg string, failed bool) {
	e := v.Get("error")
	switch {
	case e != nil && e.Type() == fastjson.TypeObject:
		msg = string(e.GetStringBytes("message"))
	case e != nil && e.Type() == fastjson.TypeString:
		msg = string(e.GetStringBytes())
	case e != nil && e.Type() != fastjson.TypeNull:
		msg = e.String()
	case string(v.GetStringBytes("object")) == "error":
		msg = string(v.GetStringBytes("message"))
	default:
		return "", false
	}
	if msg == "" {
		msg = "an error without a message"
	}
	return msg, true
}
