package client

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// One row an answer that is no stream.
func TestRefusal(t *testing.T) {
	tests := []struct {
		name   string
		answer string
		want   Outcome
		error  string
	}{
		{"new body", answer("400 Bad Request", `{"error":{"message":"max_tokens must be at least 1, got -2.","type":"BadRequestError","param":"max_tokens","code":400}}`),
			HTTP4xx, "HTTP 400: max_tokens must be at least 1, got -2."},
		{"old body", answer("400 Bad Request", `{"object":"error","message":"This model's maximum context length is 2048 tokens.","type":"BadRequestError","param":null,"code":400}`),
			HTTP4xx, "HTTP 400: This model's maximum context length is 2048 tokens."},
		{"unauthorized", answer("401 Unauthorized", `{"error":"Unauthorized"}`), HTTP4xx, "HTTP 401: Unauthorized"},
		{"unknown model", answer("404 Not Found", `{"error":{"message":"The model `+"`nope`"+` does not exist.","type":"NotFoundError","param":"model","code":404}}`),
			HTTP4xx, "HTTP 404: The model `nope` does not exist."},
		{"unknown path", answer("404 Not Found", `{"detail":"Not Found"}`), HTTP4xx, `HTTP 404: {"detail":"Not Found"}`},
		{"unprocessable", answer("422 Unprocessable Entity", `{"detail":[{"loc":["body","x"]}]}`), HTTP4xx, `HTTP 422: {"detail":[{"loc":["body","x"]}]}`},
		{"engine dead", answer("500 Internal Server Error", `{"error":{"message":"EngineCore encountered an issue.","type":"InternalServerError","param":null,"code":500}}`),
			HTTP5xx, "HTTP 500: EngineCore encountered an issue."},
		{"plain text", answer("503 Service Unavailable", "no healthy\r\n\tupstream\x1b[31m\n"), HTTP5xx, "HTTP 503: no healthy   upstream [31m"},
		{"HTML", answer("502 Bad Gateway", "<html><body>"+strings.Repeat("x", 1000)), HTTP5xx, "HTTP 502: <html><body>" + strings.Repeat("x", 278) + " ..."},
		{"no body", answer("500 Internal Server Error", ""), HTTP5xx, "HTTP 500: Internal Server Error"},
		{"body cut", answer("500 Internal Server Error", "oh no")[:60], HTTP5xx, "HTTP 500: error, reading response body: unexpected EOF"},
		{"redirect", "HTTP/1.1 307 Temporary Redirect\r\nLocation: https://else/v1\r\nContent-Length: 0\r\n\r\n",
			HTTP4xx, `the server redirects to https://else/v1: name that address instead`},
		{"not HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n", Connect, `malformed HTTP response "SSH-2.0-OpenSSH_9.2"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := ask(t, three(), func(w *wire) {
				w.say(tt.answer)
				w.Close()
			})
			assert.Equal(t, tt.want, res.Outcome)
			assert.True(t, strings.HasSuffix(res.Error, tt.error), res.Error)
			assert.Empty(t, res.Events)
			assert.Positive(t, res.End)
		})
	}
}

func TestConnectionRefused(t *testing.T) {
	s := httptest.NewServer(nil)
	s.Close() // nobody has the port now
	c := (&scripted{url: s.URL}).client(t, Config{})
	res := c.Generate(t.Context(), three())
	assert.Equal(t, Connect, res.Outcome)
	assert.Contains(t, res.Error, strings.TrimPrefix(s.URL, "http://"))
	assert.Zero(t, res.Attempts)
	assert.Zero(t, c.Opened())
}

func TestResetBeforeTheHeader(t *testing.T) {
	res := ask(t, three(), (*wire).reset)
	assert.Equal(t, Connect, res.Outcome)
	assert.Contains(t, res.Error, "reset")
	assert.Zero(t, res.FirstByte)
	assert.Equal(t, 1, res.Attempts)
}

func TestWrongScheme(t *testing.T) {
	s := listen(t, func(*wire) {})
	s.url = strings.Replace(s.url, "http:", "https:", 1)
	// The script reads TLS where it expects a request, and hangs up.
	res := s.client(t, Config{}).Generate(t.Context(), three())
	assert.Equal(t, Connect, res.Outcome)

	tls := httptest.NewUnstartedServer(http.NotFoundHandler())
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	tls.StartTLS()
	defer tls.Close()
	s.url = strings.Replace(tls.URL, "https:", "http:", 1)
	res = s.client(t, Config{}).Generate(t.Context(), three())
	assert.Equal(t, HTTP4xx, res.Outcome)
	assert.Equal(t, "HTTP 400: Client sent an HTTP request to an HTTPS server.", res.Error)
}

func TestCallerCancels(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	c := listen(t, func(w *wire) {
		w.say(streamHead, chunked(text("a", "")))
		cancel(errors.New("the window is over"))
	}).client(t, Config{})
	res := c.Generate(ctx, three())
	assert.Equal(t, Cancelled, res.Outcome)
	assert.Equal(t, "cancelled: the window is over", res.Error)

	res = c.Generate(ctx, three())
	assert.Equal(t, Cancelled, res.Outcome, "before it began")
	assert.Zero(t, res.Sent)
}

func TestNewRefuses(t *testing.T) {
	for _, url := range []string{"", "localhost:8000", "ftp://localhost", "http://", "http://a b"} {
		_, err := New(Config{BaseURL: url})
		assert.ErrorContains(t, err, "is not of the form http://HOST:PORT", url)
	}
}
