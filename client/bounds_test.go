package client

import (
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// forever writes part again and again until the client hangs up, and says
// how much that was at most. It gives up at 1 GiB: such a client reads everything.
func (w *wire) forever(t *testing.T, part string) {
	part = strings.Repeat(part, 1+16<<10/len(part))
	for n := 0; n < 1<<30; n += len(part) {
		if _, err := io.WriteString(w, part); err != nil {
			return
		}
	}
	t.Error("the client read 1 GiB")
}

// TestEndlessAnswers: a server that never stops talking costs little memory, and is told from others.
func TestEndlessAnswers(t *testing.T) {
	head := "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
	for _, tt := range []struct {
		name, head, part string
		want             Outcome
		error            string
	}{
		{"header", "HTTP/1.1 200 OK\r\n", "X: y\r\n", Connect, "server response headers exceeded 65536 bytes"},
		{"line of the header", "HTTP/1.1 200 OK\r\nX: ", "x", Connect, "server response headers exceeded 65536 bytes"},
		{"status", "HTTP/1.1 ", "2", Connect, "server response headers exceeded 65536 bytes"},
		{"informational answers", "", "HTTP/1.1 103 Early Hints\r\n\r\n", Connect, "server response headers exceeded 65536 bytes"},
		{"error", "HTTP/1.1 500 Oh\r\n\r\n", "x", HTTP5xx, "HTTP 500: error, reading response body: the server's error is longer than 1048576 bytes"},
		{"line of the stream", head + "data: ", "x", StreamError, "the stream has a line of more than 65536 bytes"},
		{"no lines", head, "<html>", StreamError, "the stream has a line of more than 65536 bytes"},
		{"comments", head, ": ping\n\n", StreamError, "the stream is longer than 274432 bytes, with 3 tokens asked"},
		{"empty lines", head, "\n", StreamError, "the stream is longer than 274432 bytes, with 3 tokens asked"},
		{"events", head, "data:{}\n", StreamError, "the stream has more than 1036 events, with 3 tokens asked"},
		{"tokens", head, text("a", ""), StreamError, "the stream has more than 1036 events, with 3 tokens asked"},
		{"deep JSON", head, "data: " + strings.Repeat("[", 60<<10) + "\n\n", StreamError, "an event is not JSON"},
		{"after the end", head + doneEvent, ": ping\n\n", Truncated, "the stream ended without a finish reason"},
		{"error events", head, "data: " + `{"error":{"mess` + "\n", StreamError, "the server sent an error event that could not be read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := listen(t, func(w *wire) {
				w.say(tt.head)
				w.forever(t, tt.part)
			})
			c := s.client(t, Config{})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			res := c.Generate(t.Context(), three())
			runtime.ReadMemStats(&after)
			assert.Equal(t, tt.want, res.Outcome)
			assert.Contains(t, res.Error, tt.error)
			assert.LessOrEqual(t, len([]rune(res.Error)), 304)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(768<<20), "bytes, freed ones and the script's included")
		})
	}
}

// TestBound finds the same lines however the reads cut them.
func TestBound(t *testing.T) {
	whole := strings.Repeat("x", maxLine-1) + "\n"
	for range 200 {
		b := bound{stream: true, tokens: 3}
		rest := whole + "\n" + whole + "y"
		for len(rest) > 0 {
			n := min(len(rest), 1+rand.IntN(maxLine))
			require.NoError(t, b.count([]byte(rest[:n])))
			rest = rest[n:]
		}
		require.Equal(t, 1, b.line)
		require.Error(t, b.count([]byte(whole)), "one byte too many")
	}
}

// TestLongStreamIsNone: what a server may well send is within the bounds.
func TestLongStreamIsNone(t *testing.T) {
	const tokens = 2000
	req := three()
	req.OutputTokens = tokens
	s := listen(t, func(w *wire) {
		defer w.Close()
		w.say("HTTP/1.1 200 OK\r\n\r\n")
		event := text(strings.Repeat("x", 3000), "")
		for range tokens - 1 {
			w.say(": ping\n\n", event)
		}
		w.say(text("x", "length"), usage(3, tokens), doneEvent)
	})
	res := s.client(t, Config{}).Generate(t.Context(), req)
	assert.NotEqual(t, StreamError, res.Outcome, res.Error)
	assert.Len(t, res.Events, tokens)
}

// TestSilentConnection is a server that accepts and says nothing: the first token's timeout ends it.
func TestSilentConnection(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	c, err := New(Config{BaseURL: "http://" + ln.Addr().String(), FirstToken: 1})
	require.NoError(t, err)
	defer c.Close()
	assert.Equal(t, TimeoutFirstToken, c.Generate(t.Context(), three()).Outcome)
}
