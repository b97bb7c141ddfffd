package client

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A wire is the server's end of a connection, with one request read from it.
type wire struct {
	net.Conn
	n    int // requests that the server had before this one
	req  *http.Request
	body string
}

// say writes each part by itself.
func (w *wire) say(parts ...string) {
	for _, p := range parts {
		if _, err := io.WriteString(w, p); err != nil {
			return // the client hung up, which is its right
		}
	}
}

// reset closes the connection with an RST.
func (w *wire) reset() {
	_ = w.Conn.(*net.TCPConn).SetLinger(0)
	w.Close()
}

// A scripted server answers each request with a script of raw bytes.
type scripted struct {
	script func(*wire)
	url    string

	mu    sync.Mutex
	conns int
	wires []*wire
	open  map[net.Conn]bool
	wg    sync.WaitGroup
}

// listen serves script on a TCP port until the test ends.
func listen(t *testing.T, script func(*wire)) *scripted {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &scripted{script: script, url: "http://" + ln.Addr().String()}
	s.wg.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() { s.serve(nc) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		s.hangUp()
		s.wg.Wait()
	})
	return s
}

// client returns a client of s, closed when the test ends.
func (s *scripted) client(t *testing.T, cfg Config) *Client {
	t.Helper()
	cfg.BaseURL, cfg.Model = s.url, "tiny"
	c, err := New(cfg)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// piped returns a client that reaches the script through net.Pipe, where each
// write is a read of its own, and time may be a synctest bubble's.
func piped(t *testing.T, cfg Config, script func(*wire)) *Client {
	t.Helper()
	s := &scripted{script: script, url: "http://pipe"}
	t.Cleanup(s.wg.Wait)
	c := s.client(t, cfg)
	c.dialContext = func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		s.wg.Go(func() { s.serve(far) })
		return near, nil
	}
	return c
}

func (s *scripted) serve(nc net.Conn) {
	defer nc.Close()
	s.mu.Lock()
	s.conns++
	if s.open == nil {
		s.open = map[net.Conn]bool{}
	}
	s.open[nc] = true
	s.mu.Unlock()
	in := bufio.NewReader(nc)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		w := &wire{Conn: nc, req: req, body: string(body)}
		s.mu.Lock()
		w.n = len(s.wires)
		s.wires = append(s.wires, w)
		s.mu.Unlock()
		s.script(w)
	}
}

// hangUp closes all connections.
func (s *scripted) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for nc := range s.open {
		nc.Close()
	}
}

// requests returns the number of connections and the requests so far.
func (s *scripted) requests() (conns int, wires []*wire) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns, s.wires
}

// Events of vLLM's shapes.

func event(json string) string { return "data: " + json + "\n\n" }

// text is a completions event; finish is "" before the last one.
func text(s, finish string) string {
	return event(fmt.Sprintf(`{"object":"text_completion","choices":[{"index":0,"text":%q,"finish_reason":%s}]}`, s, orNull(finish)))
}

func delta(fields, finish string) string {
	return event(fmt.Sprintf(`{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{%s},"finish_reason":%s}]}`, fields, orNull(finish)))
}

func orNull(finish string) string {
	if finish == "" {
		return "null"
	}
	return `"` + finish + `"`
}

// usage is the event that ends a stream of prompt and completion tokens.
func usage(prompt, completion int) string {
	return event(fmt.Sprintf(`{"choices":[],"usage":{"prompt_tokens":%d,"completion_tokens":%d}}`, prompt, completion))
}

// stream is a whole answer, each event a chunk.
func stream(events ...string) string {
	var b strings.Builder
	b.WriteString(streamHead)
	for _, e := range events {
		b.WriteString(chunked(e))
	}
	return b.String() + lastChunk
}

// answer is a whole answer that is no stream.
func answer(status, body string) string {
	return fmt.Sprintf("HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
}

// three is the request that the scripts answer unless they say otherwise.
func three() Request { return Request{Text: "Hi", PromptTokens: 5, OutputTokens: 3, Exact: true} }

// ask sends a request to a script, with time to answer.
func ask(t *testing.T, req Request, script func(*wire)) Result {
	t.Helper()
	return listen(t, script).client(t, Config{FirstToken: time.Minute}).Generate(t.Context(), req)
}

// tokens is the number of tokens of each event.
func tokens(res Result) []int {
	ns := make([]int, len(res.Events))
	for i, e := range res.Events {
		ns[i] = e.Tokens
	}
	return ns
}
