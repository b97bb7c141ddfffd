package client

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// counting is delta with the usage so far.
func counting(fields string, completion int) string {
	return event(fmt.Sprintf(`{"choices":[{"index":0,"delta":{%s},"finish_reason":null}],"usage":{"prompt_tokens":5,"completion_tokens":%d}}`, fields, completion))
}

// TestChatStreams is what a chat's events carry besides plain text. The events
// of a stream come 10 ms apart, the first 10 ms after the request.
func TestChatStreams(t *testing.T) {
	const (
		role    = `"role":"assistant","content":""`
		llama   = `"role":"assistant","content":null` // llama.cpp's
		nothing = ``
	)
	say := func(s string) string { return delta(`"content":"`+s+`"`, "") }
	think := func(s string) string { return delta(`"content":null,"reasoning":"`+s+`"`, "") }
	stop := delta(nothing, "stop")
	tests := []struct {
		name      string
		events    []string
		ttft      time.Duration
		tokens    []int
		gaps      []time.Duration
		estimated bool
	}{
		{"a role is no token and no gap", []string{delta(role, ""), say("a"), say("b"), stop, usage(5, 2)},
			20 * ms, []int{1, 1}, []time.Duration{10 * ms}, false},
		{"a role without content", []string{delta(llama, ""), say("a"), say("b"), stop, usage(5, 2)},
			20 * ms, []int{1, 1}, []time.Duration{10 * ms}, false},
		{"a role with the first token", []string{delta(`"role":"assistant","content":"a"`, ""), say("b"), stop, usage(5, 2)},
			10 * ms, []int{1, 1}, []time.Duration{10 * ms}, false},
		{"a role with the first token of reasoning", []string{delta(`"role":"assistant","reasoning":"a"`, ""), say("b"), stop, usage(5, 2)},
			10 * ms, []int{1, 1}, []time.Duration{10 * ms}, false},
		{"a role, counted", []string{counting(role, 0), counting(`"content":"a"`, 1), counting(`"content":"b"`, 2), stop, usage(5, 2)},
			20 * ms, []int{1, 1}, []time.Duration{10 * ms}, false},
		{"reasoning is generated too", []string{delta(role, ""), think("a"), think("b"), say("c"), stop, usage(5, 3)},
			20 * ms, []int{1, 1, 1}, []time.Duration{10 * ms, 10 * ms}, false},
		{"reasoning by its old name", []string{delta(role, ""), delta(`"reasoning_content":"a"`, ""), say("b"), stop, usage(5, 2)},
			20 * ms, []int{1, 1}, []time.Duration{10 * ms}, false},
		{"a refusal", []string{delta(role, ""), delta(`"refusal":"a"`, ""), delta(`"refusal":"b"`, "stop"), usage(5, 2)},
			20 * ms, []int{1, 1}, []time.Duration{10 * ms}, false},
		{"a tool's call alone", []string{delta(role, ""), delta(`"tool_calls":[{"index":0,"id":"1","function":{"name":"f","arguments":""}}]`, ""),
			delta(`"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]`, ""), delta(nothing, "tool_calls"), usage(5, 2)},
			20 * ms, []int{1, 1}, []time.Duration{10 * ms}, false},
		{"a parser that keeps tokens back, counted", []string{counting(role, 0), counting(`"content":"a"`, 1), counting(`"tool_calls":[{}]`, 17), stop, usage(5, 17)},
			20 * ms, []int{1, 16}, []time.Duration{10 * ms}, false},
		{"a parser that keeps tokens back", []string{delta(role, ""), say("a"), delta(`"tool_calls":[{}]`, "tool_calls"), usage(5, 17)},
			20 * ms, []int{9, 8}, []time.Duration{10 * ms}, true},
		{"a token without text", []string{delta(role, ""), say("a"), say(""), say("b"), delta(`"content":""`, "length"), usage(5, 4)},
			20 * ms, []int{1, 1, 1, 1}, []time.Duration{10 * ms, 10 * ms, 10 * ms}, false},
		{"an end without text", []string{delta(role, ""), say("a"), say("b"), delta(`"content":""`, "length"), usage(5, 2)},
			20 * ms, []int{1, 1}, []time.Duration{10 * ms}, false},
		{"events of usage alone", []string{usage(5, 0), delta(role, ""), usage(5, 0), say("a"), usage(5, 1), say("b"), stop, usage(5, 2)},
			40 * ms, []int{1, 1}, []time.Duration{20 * ms}, false},
		{"usage on the last event with a choice", []string{delta(role, ""), say("a"), say("b"),
			event(`{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2}}`)},
			20 * ms, []int{1, 1}, []time.Duration{10 * ms}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			script := func(w *wire) {
				w.say(streamHead)
				for _, e := range tt.events {
					time.Sleep(10 * ms)
					w.say(chunked(e))
				}
				w.say(chunked(doneEvent), lastChunk)
			}
			inBubble(t, Config{}, script, func(t *testing.T, c *Client) {
				res := c.Generate(t.Context(), Request{Endpoint: Chat, Text: "Hi", PromptTokens: 5, OutputTokens: 20})
				assert.Equal(t, OK, res.Outcome, res.Error)
				assert.Equal(t, tt.ttft, res.TTFT())
				assert.Equal(t, tt.tokens, tokens(res))
				var gaps []time.Duration
				for i := 1; i < len(res.Events); i++ {
					gaps = append(gaps, res.Events[i].At-res.Events[i-1].At)
				}
				assert.Equal(t, tt.gaps, gaps)
				assert.Equal(t, tt.estimated, res.Estimated)
			})
		})
	}
}

// TestChatWithoutToken has no TTFT, not one of 0.
func TestChatWithoutToken(t *testing.T) {
	script := func(w *wire) {
		w.say(stream(delta(`"role":"assistant","content":""`, ""), delta("", "stop"), usage(5, 0), doneEvent))
	}
	inBubble(t, Config{}, script, func(t *testing.T, c *Client) {
		res := c.Generate(t.Context(), Request{Endpoint: Chat, Text: "Hi", OutputTokens: 4})
		assert.Equal(t, Truncated, res.Outcome)
		assert.Equal(t, "the stream ended without a token", res.Error)
		assert.Empty(t, res.Events)
	})
}
