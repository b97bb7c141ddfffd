package client

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// One row an outcome or trap of a stream that began with HTTP 200. The
// server closes the connection after the answer.
func TestOutcome(t *testing.T) {
	a, b, c, end, bad := text("a", ""), text("b", ""), text("c", "length"), usage(5, 3), `{"error":{"message":"engine died","type":"InternalServerError","code":500}}`
	tests := []struct {
		name   string
		answer string
		want   Outcome
		error  string
		tokens []int
	}{
		{"ok", stream(a, b, c, end, doneEvent), OK, "", []int{1, 1, 1}},
		{"CRLF line ends", stream(strings.ReplaceAll(a+b+c+end+doneEvent, "\n", "\r\n")), OK, "", []int{1, 1, 1}},
		{"no space after data:", stream(strings.ReplaceAll(a+b+c+end+doneEvent, "data: ", "data:")), OK, "", []int{1, 1, 1}},
		{"usage beside the last token", stream(a, b, event(`{"choices":[{"text":"c","finish_reason":"length"}],"usage":{"prompt_tokens":5,"completion_tokens":3}}`), doneEvent), OK, "", []int{1, 1, 1}},
		{"data after [DONE]", stream(a, b, c, end, doneEvent, a, a), OK, "", []int{1, 1, 1}},
		{"[DONE] without a newline", stream(a, b, c, end, "data: [DONE]"), OK, "", []int{1, 1, 1}},
		{"terminator never sent", strings.TrimSuffix(stream(a, b, c, end, doneEvent), lastChunk), OK, "", []int{1, 1, 1}},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n" + a + b + c + end + doneEvent, OK, "", []int{1, 1, 1}},
		{"keep-alive comments", stream(strings.Repeat(": ping\n\n", 5000), a, strings.Repeat(": ping\n\n", 5000), b, c, end, doneEvent), OK, "", []int{1, 1, 1}},

		{"no [DONE], clean end", stream(a, b, c, end), Truncated, "the stream closed without [DONE] after 4 events", []int{1, 1, 1}},
		{"no event", stream(), Truncated, "the stream closed without [DONE] after 0 events", []int{}},
		{"[DONE] in a text is no end", stream(text("\ndata: [DONE]\n", "length"), end), Truncated, "the stream closed without [DONE] after 2 events", []int{3}},
		{"not a stream", answer("200 OK", `{"choices":[{"text":"abc"}]}`), Truncated, "the stream closed without [DONE] after 0 events", []int{}},
		{"cut inside an event, HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n" + a + b[:20], Truncated, "the stream closed without [DONE] after 1 events", []int{1}},
		{"cut between chunks", strings.TrimSuffix(stream(a, b), lastChunk), StreamError, "the connection broke in mid-stream: unexpected EOF", []int{1, 1}},
		{"cut inside a chunk", stream(a, b)[:len(stream(a))+20], StreamError, "the connection broke in mid-stream: unexpected EOF", []int{1}},
		{"no usage", stream(a, b, c, doneEvent), Truncated, "the stream ended without usage, so its tokens cannot be counted (does the server know stream_options.include_usage?)", []int{1, 1, 1}},
		{"no finish reason", stream(a, b, text("c", ""), end, doneEvent), Truncated, "the stream ended without a finish reason", []int{1, 1, 1}},
		{"no token", stream(usage(5, 0), doneEvent), Truncated, "the stream ended without a finish reason", []int{}},
		{"aborted", stream(a, text("", "abort"), usage(5, 1), doneEvent), StreamError, "the server ended the stream with finish reason abort", []int{1}},

		{"prompt one short", stream(a, b, c, usage(4, 3), doneEvent), WrongLength, "the server counted 4 prompt tokens, not 5", []int{1, 1, 1}},
		{"output one short", stream(a, text("b", "stop"), usage(5, 2), doneEvent), WrongLength, "the server generated 2 tokens, not 3 (finish reason stop)", []int{1, 1}},
		{"output one long", stream(a, b, c, usage(5, 4), doneEvent), WrongLength, "the server generated 4 tokens, not 3 (finish reason length)", []int{2, 1, 1}},
		{"usage of zero", stream(a, b, c, usage(5, 0), doneEvent), WrongLength, "the server generated 0 tokens, not 3 (finish reason length)", []int{}},

		{"error, then [DONE]", stream(event(bad), doneEvent), StreamError, "engine died", []int{}},
		{"error after tokens", stream(a, b, event(bad), doneEvent), StreamError, "engine died", []int{1, 1}},
		{"error with spaces", stream(a, event(`{ "error" : {"message":"engine died"}}`), doneEvent), StreamError, "engine died", []int{1}},
		{"error after a comment", stream(a, ": ping\n\n", event(bad), doneEvent), StreamError, "engine died", []int{1}},
		{"error after event: error", stream(a, "event: error\n"+event(bad), doneEvent), StreamError, "engine died", []int{1}},
		{"error without a newline", stream(a, "data: "+bad), StreamError, "engine died", []int{1}},
		{"error without a newline, cut", strings.TrimSuffix(stream(a, "data: "+bad), lastChunk), StreamError, "engine died", []int{1}},
		{"error not in data", answer("200 OK", bad), StreamError, "engine died", []int{}},
		{"error in the old shape", stream(a, event(`{"object":"error","message":"engine died","code":500}`), doneEvent), StreamError, "engine died", []int{1}},
		{"error is not the first key", stream(a, event(`{"id":1,"error":{"message":"engine died"}}`), doneEvent), StreamError, "engine died", []int{1}},
		{"error is a string", stream(event(`{"id":1,"error":"engine died"}`), doneEvent), StreamError, "engine died", []int{}},
		{"error without a message", stream(event(`{"id":1,"error":{}}`), doneEvent), StreamError, "an error without a message", []int{}},
		{"error null is none", stream(a, b, event(`{"choices":[{"text":"c","finish_reason":"length"}],"error":null}`), end, doneEvent), OK, "", []int{1, 1, 1}},
		{"error nobody can read", stream(a, ": ping\n\n", `data: {"error":{"mess`+"\n\n", doneEvent), StreamError, "the server sent an error event that could not be read", []int{1}},
		{"event is not JSON", stream(a, "data: {oops\n\n", doneEvent), StreamError, "an event is not JSON: {oops", []int{1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := ask(t, three(), func(w *wire) {
				w.say(tt.answer)
				w.Close()
			})
			assert.Equal(t, tt.want, res.Outcome)
			assert.Equal(t, tt.error, res.Error)
			assert.Equal(t, tt.tokens, tokens(res))
			assert.Less(t, res.Sent, res.FirstByte)
			assert.LessOrEqual(t, res.FirstByte, res.End)
		})
	}
}
