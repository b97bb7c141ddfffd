package engine

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBadURLs(t *testing.T) {
	const fix = ": give it as http://host:port with -url or VLLM_BASE_URL"
	for raw, want := range map[string]string{
		"":                     `the server's URL is empty` + fix,
		"localhost:8000":       `the server's URL "localhost:8000" has no scheme` + fix,
		"127.0.0.1:8000/v1":    `the server's URL "127.0.0.1:8000/v1" has no scheme` + fix,
		"ftp://h:8000":         `the server's URL "ftp://h:8000" has scheme "ftp", not http or https` + fix,
		"http://":              `the server's URL "http://" has no host` + fix,
		"http://:8000":         `the server's URL "http://:8000" has no host` + fix,
		"http://h:port":        `the server's URL cannot be read` + fix,
		"http://u:secret@h":    `the server's URL (host "h") holds a user, a query or a fragment` + fix + ", and a key with -api-key or VLLM_API_KEY",
		"http://h/?key=secret": `the server's URL (host "h") holds a user, a query or a fragment` + fix + ", and a key with -api-key or VLLM_API_KEY",
	} {
		_, err := (&Client{URL: raw}).Discover(t.Context(), "")
		assert.EqualError(t, err, want)
	}
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		key    string
		model  string
		status int
		body   string
		want   string // $ stands for the server's URL
	}{
		"no key": {"", "", 401, `{"error":"Unauthorized"}`,
			"$ wants an API key (401): give it with -api-key or VLLM_API_KEY"},
		"wrong key": {"sk-wrong", "", 401, `{"error":"Unauthorized"}`,
			"$ refuses the API key or its absence (401): give another with -api-key or VLLM_API_KEY"},
		"forbidden": {"sk-wrong", "", 403, `{"error":"sk-wrong is not allowed"}`,
			"$ refuses the API key or its absence (403): give another with -api-key or VLLM_API_KEY"},
		"key of two lines": {"sk-1\n", "", 200, modelsBody,
			"the API key holds a character that a header cannot carry, such as a line's end: check -api-key or VLLM_API_KEY"},
		"other model": {"", "gpt", 200, listing("a", "b"),
			`model "gpt" is not served at $, which serves a, b: choose one with -model or -models`},
		"many other models": {"", "gpt", 200, listing("a", "b", "c", "d", "e", "f", "g"),
			`model "gpt" is not served at $, which serves a, b, c, d, e and 2 more: choose one with -model or -models`},
		"no models": {"", "", 200, listing(),
			"$ serves no model with a printable name: see how it was started, or name another server with -url or VLLM_BASE_URL"},
		"models with unprintable names": {"", "", 200, listing("a\nUnit x", "b\x1b[2J"),
			"$ serves no model with a printable name: see how it was started, or name another server with -url or VLLM_BASE_URL"},
		"unknown path": {"", "", 404, unknownPath,
			"$ is not an OpenAI-compatible server (GET /v1/models answers 404 Not Found): give the URL that /v1/models is under with -url or VLLM_BASE_URL"},
		"a web page": {"", "", 200, "<html>\n<title>hello</title>",
			`$ is not an OpenAI-compatible server (GET /v1/models answers "<html> <title>hello</title>"): give the URL that /v1/models is under with -url or VLLM_BASE_URL`},
		"other JSON": {"", "", 200, `{"models":[]}`,
			`$ is not an OpenAI-compatible server (GET /v1/models answers "{\"models\":[]}"): give the URL that /v1/models is under with -url or VLLM_BASE_URL`},
		"starting up": {"", "", 503, "no healthy upstream",
			"$ is not ready (GET /v1/models answers 503 Service Unavailable: no healthy upstream): wait until it serves, or name another server with -url or VLLM_BASE_URL"},
		"hostile words": {"sk-secret", "", 429, "\x1b[31mslow\r\ndown sk-secret\u202e" + strings.Repeat("x", 1000),
			"$ refuses GET /v1/models (429 Too Many Requests: \uFFFD[31mslow down [API key]\uFFFD" + strings.Repeat("x", 174) + "…): see the server's log, or name another server with -url or VLLM_BASE_URL"},
	} {
		t.Run(name, func(t *testing.T) {
			client := start(t, routes{"GET /v1/models": says(c.status, c.body)})
			client.APIKey = c.key
			_, err := client.Discover(t.Context(), c.model)
			assert.EqualError(t, err, strings.ReplaceAll(c.want, "$", client.URL))
		})
	}
}

func TestNoServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	c := &Client{URL: "http://" + l.Addr().String()}
	_, err = c.Discover(t.Context(), "")
	assert.ErrorContains(t, err, "no server answers at "+c.URL+" (")
	assert.ErrorContains(t, err, "): start it, or name another server with -url or VLLM_BASE_URL")

	_, err = c.Snapshot(t.Context(), "")
	assert.ErrorContains(t, err, "no server answers at "+c.URL)
}

func TestUnknownHost(t *testing.T) {
	dial := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "gpu-box", IsNotFound: true}}
	}
	c := &Client{URL: "http://gpu-box:8000", HTTP: &http.Client{Transport: &http.Transport{DialContext: dial}}}
	_, err := c.Discover(t.Context(), "")
	assert.ErrorContains(t, err, "the host of http://gpu-box:8000 cannot be found (")
}

func TestHTTPSToAnHTTPPort(t *testing.T) {
	c := start(t, vllmRoutes(t, nil))
	c.URL = strings.Replace(c.URL, "http://", "https://", 1)
	_, err := c.Discover(t.Context(), "")
	assert.EqualError(t, err, c.URL+" does not speak HTTPS: use http:// in -url or VLLM_BASE_URL")
}

func TestHTTPToAnHTTPSPort(t *testing.T) {
	s := httptest.NewUnstartedServer(vllmRoutes(t, nil))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of what this test does to it
	s.StartTLS()
	t.Cleanup(s.Close)
	c := &Client{URL: strings.Replace(s.URL, "https://", "http://", 1)}
	_, err := c.Discover(t.Context(), "")
	assert.EqualError(t, err, c.URL+" speaks HTTPS: use https:// in -url or VLLM_BASE_URL")

	c.URL = s.URL // and HTTPS with a certificate that nobody knows
	_, err = c.Discover(t.Context(), "")
	assert.ErrorContains(t, err, "the certificate of "+s.URL+" is not trusted (")
}

// Servers other than Go's answer plain HTTP on a TLS port with an alert, or hang up.
func TestPeersThatDoNotSpeakHTTP(t *testing.T) {
	for name, bytes := range map[string]string{"hangs up": "", "TLS alert": "\x15\x03\x01\x00\x02\x02\x16"} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			t.Cleanup(func() { l.Close() })
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					conn.Read(make([]byte, 4096))
					conn.Write([]byte(bytes))
					conn.Close()
				}
			}()
			c := &Client{URL: "http://" + l.Addr().String()}
			_, err = c.Discover(t.Context(), "")
			assert.EqualError(t, err, c.URL+" closed the connection without an HTTP answer: if it speaks HTTPS, use https:// in -url or VLLM_BASE_URL, else see its log")

			c.URL = "https://" + l.Addr().String()
			_, err = c.Discover(t.Context(), "")
			assert.ErrorContains(t, err, c.URL)
		})
	}
}

// roundTrip is a transport without a network.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestTimeout(t *testing.T) {
	never := roundTrip(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	})
	for timeout, want := range map[time.Duration]time.Duration{0: 10 * time.Second, time.Minute: time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			c := &Client{URL: "http://slow:8000", HTTP: &http.Client{Transport: never}, Timeout: timeout}
			began := time.Now()
			_, err := c.Discover(t.Context(), "")
			assert.EqualError(t, err, "http://slow:8000 did not answer within "+want.String()+": check that it is ready, or name another server with -url or VLLM_BASE_URL")
			assert.Equal(t, want, time.Since(began))
		})
	}
}

func TestAnswerTooLong(t *testing.T) {
	c := start(t, routes{"GET /metrics": func(w http.ResponseWriter, _ *http.Request) {
		w.Write(make([]byte, maxBody+1))
	}})
	_, err := c.Snapshot(t.Context(), "")
	assert.EqualError(t, err, c.URL+" answers GET /metrics with more than 4 MiB: check that it is the server to measure")
}

func TestBrokenTLSIsNotTakenForHTTP(t *testing.T) {
	broken := roundTrip(func(*http.Request) (*http.Response, error) {
		return nil, tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}
	})
	c := &Client{URL: "https://h:1", HTTP: &http.Client{Transport: broken}}
	_, err := c.Discover(t.Context(), "")
	assert.EqualError(t, err, "https://h:1 does not speak HTTPS: use http:// in -url or VLLM_BASE_URL")
}
