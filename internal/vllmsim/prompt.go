package vllmsim

import (
	"fmt"
	"math"
	"strings"

	"github.com/valyala/fastjson"
)

const defaultMaxTokens = 16 // of a completion; a chat may fill the context

// completionPrompt reads "prompt": a text, token ids, or a list of one of either.
func (s *Server) completionPrompt(f *fields) ([]int32, *apiError) {
	v := f.get("prompt")
	if v == nil {
		return nil, emptyPrompt()
	}
	if items, err := v.Array(); err == nil && len(items) == 0 {
		return nil, badRequest("", "You must pass at least one prompt")
	} else if err == nil && items[0].Type() != fastjson.TypeNumber {
		if len(items) > 1 {
			return nil, badRequest("prompt", "This server takes one prompt a request, got %d.", len(items))
		}
		v = items[0]
	}
	if text, err := v.StringBytes(); err == nil {
		if len(text) == 0 {
			return nil, emptyPrompt()
		}
		return s.readable(tokenize(string(text)))
	}
	ids, refused := tokenIDs(v, "body.prompt")
	if refused != nil {
		return nil, refused
	}
	return nonEmpty(ids)
}

func emptyPrompt() *apiError {
	return badRequest("prompt", "Either prompt or prompt_embeds must be provided and non-empty. (parameter=prompt)")
}

// tokenIDs reads a list of non-negative integers.
func tokenIDs(v *fastjson.Value, location string) ([]int32, *apiError) {
	items, err := v.Array()
	if err != nil {
		return nil, invalid(location, "list_type", "Input should be a valid list", v)
	}
	ids := make([]int32, len(items))
	for i, item := range items {
		id, err := item.Int64()
		if err != nil || id < 0 || id > math.MaxInt32 {
			return nil, invalid(fmt.Sprintf("%s.%d", location, i), "greater_than_equal", "Input should be greater than or equal to 0", item)
		}
		ids[i] = int32(id)
	}
	return ids, nil
}

// chatPrompt reads "messages" and applies the chat template.
func (s *Server) chatPrompt(f *fields) ([]int32, *apiError) {
	messages, refused := parseMessages(f)
	if refused != nil {
		return nil, refused
	}
	return s.readable(applyChatTemplate(messages))
}

func parseMessages(f *fields) ([]message, *apiError) {
	v := f.get("messages")
	if v == nil {
		return nil, f.missing("messages")
	}
	items, err := v.Array()
	if err != nil {
		return nil, invalid("body.messages", "list_type", "Input should be a valid list", v)
	}
	if len(items) == 0 {
		return nil, badRequest("", "Cannot apply chat template to an empty conversation. Provide at least one message.")
	}
	messages := make([]message, len(items))
	for i, item := range items {
		at := fmt.Sprintf("body.messages.%d", i)
		if item.Type() != fastjson.TypeObject {
			return nil, notObject(at, item)
		}
		m := &fields{v: item, at: at}
		role, ok := m.str("role")
		if !ok {
			return nil, m.missing("role")
		}
		messages[i] = message{role: role, content: contentText(item.Get("content"))}
		if m.err != nil {
			return nil, m.err
		}
	}
	return messages, nil
}

// contentText returns a message's text: a string, or the text parts of a list.
func contentText(v *fastjson.Value) string {
	if v == nil {
		return ""
	}
	if v.Type() == fastjson.TypeString {
		return string(v.GetStringBytes())
	}
	var b strings.Builder
	for _, part := range v.GetArray() {
		b.Write(part.GetStringBytes("text"))
	}
	return b.String()
}

// readable is a text's tokens, read no further than it takes to see that they
// are too many.
func (s *Server) readable(ids []int32) ([]int32, *apiError) {
	return nonEmpty(ids[:min(len(ids), s.MaxModelLen+1)])
}

func nonEmpty(ids []int32) ([]int32, *apiError) {
	if len(ids) == 0 {
		return nil, badRequest("", "The decoder prompt cannot be empty")
	}
	return ids, nil
}
