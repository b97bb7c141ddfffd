package client

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The bytes that reach the server, for each kind of request.
func TestWireBody(t *testing.T) {
	tests := []struct {
		name string
		req  Request
		path string
	}{
		{"ids", Request{IDs: []int{100, 0, 8191}, PromptTokens: 3, OutputTokens: 7, Exact: true, Extensions: true, CacheSalt: `s"1`}, "/v1/completions"},
		{"ids-continuous", Request{IDs: []int{1}, OutputTokens: 7, Extensions: true, ContinuousUsage: true}, "/v1/completions"},
		{"text", Request{Text: "Hi <\"you\">\n面", OutputTokens: 7, Exact: true, CacheSalt: "unused"}, "/v1/completions"},
		{"chat", Request{Endpoint: Chat, Text: "Hi", OutputTokens: 7}, "/v1/chat/completions"},
		{"chat-extensions", Request{Endpoint: Chat, Text: "Hi", OutputTokens: 7, Exact: true, Extensions: true, CacheSalt: "s"}, "/v1/chat/completions"},
		{"chat-turns", Request{Endpoint: Chat, Model: "sql", Messages: []Message{{"system", "S"}, {"user", "Hi"}, {"assistant", "a"}, {"user", "b"}}, OutputTokens: 7}, "/v1/chat/completions"},
		{"model", Request{Model: "adapter/1", Text: "Hi", OutputTokens: 7, NoPromptCache: true}, "/v1/completions"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := listen(t, func(w *wire) { w.say(stream(doneEvent)) })
			s.client(t, Config{APIKey: "sk-1"}).Generate(t.Context(), tt.req)
			_, wires := s.requests()
			require.Len(t, wires, 1)
			assert.Equal(t, tt.path, wires[0].req.URL.Path)
			assert.EqualValues(t, len(wires[0].body), wires[0].req.ContentLength)

			golden := filepath.Join("testdata", "body-"+tt.name+".json")
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(wires[0].body+"\n"), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), wires[0].body+"\n")
		})
	}
}

// The URL may end in /v1, and a model may have a name by which go-openai refuses parameters.
func TestBaseURLAndModel(t *testing.T) {
	s := listen(t, func(w *wire) { w.say(stream(doneEvent)) })
	for _, suffix := range []string{"", "/", "/v1", "/v1/", "/proxy/v1"} {
		for _, model := range []string{"o1-mini", "gpt-4o"} {
			c, err := New(Config{BaseURL: s.url + suffix, Model: model})
			require.NoError(t, err)
			for endpoint, path := range map[Endpoint]string{Completions: "/v1/completions", Chat: "/v1/chat/completions"} {
				c.Generate(t.Context(), Request{Endpoint: endpoint, Text: "Hi", OutputTokens: 1})
				_, wires := s.requests()
				last := wires[len(wires)-1]
				if suffix == "/proxy/v1" {
					path = "/proxy" + path
				}
				assert.Equal(t, path, last.req.URL.Path)
				assert.Contains(t, last.body, `"model":"`+model+`"`)
			}
			c.Close()
		}
	}
}
