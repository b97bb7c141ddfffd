package bench

import (
	"bufio"
	"bytes"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/vllmsim"
)

// simulate runs an embedded server in this process, and returns its URL.
func simulate(t *testing.T, c vllmsim.Config) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	serve(t, l, c)
	return "http://" + l.Addr().String()
}

// serve runs an embedded server behind l until the test ends.
func serve(t *testing.T, l net.Listener, c vllmsim.Config) {
	t.Helper()
	s, err := vllmsim.New(c)
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		assert.NoError(t, s.Close())
		assert.NoError(t, <-served)
	})
}

// A proxy stands before a good server and spoils what passes. Nil fields spoil nothing.
type proxy struct {
	// refuse answers a request itself, if it returns true.
	refuse func(w http.ResponseWriter, r *http.Request, body []byte) bool

	// ask changes the body of a request for a completion or chat.
	ask func(body []byte) []byte

	// events returns what changes one stream, event by event: an event ends
	// with an empty line, and one that becomes nil is dropped.
	events func() func(event []byte) []byte

	// page changes the answer to GET /metrics.
	page func(page []byte) []byte

	// anonymous hides what says that the server is the embedded one.
	anonymous bool
}

// before starts the proxy before the server at target, and returns its URL.
func (p proxy) before(t *testing.T, target string) string {
	t.Helper()
	to, err := url.Parse(target)
	require.NoError(t, err)
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Header.Del("Accept-Encoding") // page reads plain text
		},
		FlushInterval:  -1,
		ModifyResponse: p.spoil,
		ErrorLog:       log.New(io.Discard, "", 0), // clients leave in mid-stream
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || p.refuse != nil && p.refuse(w, r, body) {
			return
		}
		if generates(r.URL.Path) && p.ask != nil {
			body = p.ask(body)
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		forward.ServeHTTP(w, r)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	t.Cleanup(s.Close)
	return s.URL
}

// generates says whether path is one that requests of a benchmark go to.
func generates(path string) bool {
	return path == "/v1/completions" || path == "/v1/chat/completions"
}

func (p proxy) spoil(r *http.Response) error {
	switch path := r.Request.URL.Path; {
	case path == "/metrics" && p.page != nil:
		page, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		page = p.page(page)
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(page)), int64(len(page))
		r.Header.Set("Content-Length", strconv.Itoa(len(page)))
	case generates(path) && p.events != nil && r.ContentLength < 0: // of unknown length: a stream
		r.Body = &stream{ReadCloser: r.Body, lines: bufio.NewReader(r.Body), change: p.events()}
	}
	if p.anonymous {
		r.Header.Set("Server", "uvicorn")
	}
	return nil
}

// A stream is a response's body with changed events.
type stream struct {
	io.ReadCloser
	lines  *bufio.Reader
	change func(event []byte) []byte
	ready  []byte
}

func (s *stream) Read(p []byte) (int, error) {
	for len(s.ready) == 0 {
		var event []byte
		for !bytes.HasSuffix(event, []byte("\n\n")) {
			line, err := s.lines.ReadBytes('\n')
			if err != nil {
				return 0, err
			}
			event = append(event, line...)
		}
		s.ready = s.change(event)
	}
	n := copy(p, s.ready)
	s.ready = s.ready[n:]
	return n, nil
}
