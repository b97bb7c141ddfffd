package client

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/valyala/fastjson"
)

func TestParseChunk(t *testing.T) {
	tests := []struct {
		name, payload string
		want          chunk
	}{
		{"completions", `{"choices":[{"index":0,"text":" hr","finish_reason":null,"token_ids":null}]}`, chunk{choice: true, bears: true}},
		{"last", `{"choices":[{"index":0,"text":"x","finish_reason":"length"}]}`, chunk{choice: true, bears: true, finish: "length"}},
		{"rare finish reason", `{"choices":[{"text":"","finish_reason":"content_filter"}]}`, chunk{choice: true, finish: "content_filter"}},
		{"empty text", `{"choices":[{"index":0,"text":"","finish_reason":null}]}`, chunk{choice: true}},
		{"empty text with ids", `{"choices":[{"text":"","token_ids":[1,2]}]}`, chunk{choice: true, bears: true, ids: 2}},
		{"role", `{"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]}`, chunk{choice: true, role: true}},
		{"role and text", `{"choices":[{"delta":{"role":"assistant","content":"a"}}]}`, chunk{choice: true, role: true, bears: true}},
		{"content", `{"choices":[{"delta":{"content":"a"}}]}`, chunk{choice: true, bears: true}},
		{"reasoning", `{"choices":[{"delta":{"content":null,"reasoning":"a"}}]}`, chunk{choice: true, bears: true}},
		{"reasoning_content", `{"choices":[{"delta":{"reasoning_content":"a"}}]}`, chunk{choice: true, bears: true}},
		{"tool calls", `{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}}]}`, chunk{choice: true, bears: true}},
		{"refusal", `{"choices":[{"delta":{"refusal":"a"}}]}`, chunk{choice: true, bears: true}},
		{"no tool calls", `{"choices":[{"delta":{"tool_calls":[]}}]}`, chunk{choice: true}},
		{"usage", `{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":6,"prompt_tokens_details":{"cached_tokens":2}}}`,
			chunk{usage: true, prompt: 3, completion: 6, cached: 2}},
		{"usage null", `{"choices":[{"text":"a"}],"usage":null}`, chunk{choice: true, bears: true}},
		{"other keys", `{"id":"x"}`, chunk{}},
		{"not an object", `[1]`, chunk{}},
		{"error", `{"error":{"message":"m"}}`, chunk{err: "m"}},
		{"old error", `{"object":"error","message":"m"}`, chunk{err: "m"}},
		{"error as a number", `{"error":7}`, chunk{err: "7"}},
		{"not JSON", `oops`, chunk{err: "an event is not JSON: oops"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p fastjson.Parser
			assert.Equal(t, tt.want, parseChunk(&p, []byte(tt.payload)))
		})
	}
}

func FuzzParseChunk(f *testing.F) {
	for _, e := range []string{text("a", ""), delta(`"role":"assistant"`, "stop"), usage(5, 3), event(`{"error":{"message":"m"}}`)} {
		f.Add([]byte(strings.TrimSpace(strings.TrimPrefix(e, "data:"))))
	}
	f.Add([]byte(`{"choices":[{"delta":{"tool_calls":[1]},"token_ids":[1]}],"usage":{"completion_tokens":1e99}}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		var p fastjson.Parser
		before := string(payload)
		c := parseChunk(&p, payload)
		assert.Equal(t, before, string(payload), "the payload is the caller's")
		if json.Valid(payload) {
			assert.NotContains(t, c.err, "an event is not JSON")
		}
		if c.err != "" {
			assert.Equal(t, chunk{err: c.err}, c, "an error is nothing else")
		}
		if !c.choice {
			assert.False(t, c.bears || c.role || c.token() || c.finish != "" || c.ids > 0)
		}
		if !c.usage {
			assert.Zero(t, c.prompt+c.completion+c.cached)
		}
		assert.Equal(t, c, parseChunk(&p, payload), "parsers are used again")
	})
}
