// Package engine asks a server about itself: what it is, what it serves, and what its own counters say.
//
// What a server does not offer is unknown, never 0: every answer but the list
// of models is optional, so that a server other than vLLM is measured with
// fewer proofs instead of being refused.
package engine

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"vllmbench/internal/secret"
	"vllmbench/internal/trust"
)

const (
	maxBody = 4 << 20 // bytes of one answer; vLLM's metrics take about 50 kB an engine, a model of its list 0.6 kB
	maxWait = 10 * time.Second
)

// A Client asks one server. It keeps no state, so it may be used concurrently.
type Client struct {
	URL    string // base URL, with or without a trailing "/" or "/v1"
	APIKey string // "": none. It goes into the Authorization header, never into an error or an Info.

	HTTP    *http.Client  // nil: trust.Client of this system's certificates
	Timeout time.Duration // longest wait for one answer; 0: 10 s
}

// An answer is a whole HTTP response.
type answer struct {
	base   string // base URL that was asked
	status int
	server string // the header Server
	body   []byte
}

// get asks for path, which begins with "/".
func (c *Client) get(ctx context.Context, path string) (*answer, error) {
	return c.ask(ctx, http.MethodGet, path, nil, c.timeout())
}

// post sends in as JSON to path and waits for the answer up to the given time.
func (c *Client) post(ctx context.Context, path string, in any, wait time.Duration) (*answer, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("encoding POST %s: %w", path, err)
	}
	return c.ask(ctx, http.MethodPost, path, body, wait)
}

func (c *Client) ask(ctx context.Context, method, path string, body []byte, wait time.Duration) (*answer, error) {
	base, err := baseURL(c.URL)
	if err != nil {
		return nil, err
	}
	if strings.ContainsFunc(c.APIKey, unicode.IsControl) {
		return nil, errors.New("the API key holds a character that a header cannot carry, such as a line's end: check -api-key or VLLM_API_KEY")
	}
	within, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	req, err := http.NewRequestWithContext(within, method, base+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("building %s %s%s: %w", method, base, path, err)
	}
	// A server may drop an idle connection at any time (vLLM: after 5 s), and
	// a POST that meets this fails. Questions are rare, so each has its own.
	req.Close = true
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.APIKey != "" {
		req.Header.Set("Authorization", "Bearer "+c.APIKey)
	}
	client := c.HTTP
	if client == nil {
		client = trust.Client(nil)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, c.explain(ctx, base, wait, err)
	}
	defer resp.Body.Close()
	if to := resp.Header.Get("Location"); to != "" && resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return nil, fmt.Errorf("%s redirects %s %s to %s, where the key does not follow: name that address with -url or VLLM_BASE_URL", base, method, path, c.clean(to))
	}
	got, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, c.explain(ctx, base, wait, err)
	}
	if len(got) > maxBody {
		return nil, fmt.Errorf("%s answers %s %s with more than %d MiB: check that it is the server to measure", base, method, path, maxBody>>20)
	}
	return &answer{base, resp.StatusCode, resp.Header.Get("Server"), got}, nil
}

// decode reads the JSON of an answer into out. Its errors name neither server nor path.
func (c *Client) decode(a *answer, out any) error {
	if a.status != http.StatusOK {
		return errors.New(status(a, c.clean(message(a.body))))
	}
	if json.Unmarshal(a.body, out) != nil {
		return errors.New("its answer is not the JSON expected")
	}
	return nil
}

func (c *Client) timeout() time.Duration { return cmp.Or(c.Timeout, maxWait) }

// clean is Clean for words of the server, which could echo the API key.
func (c *Client) clean(s string) string {
	return Clean(secret.Redact(s, c.APIKey))
}

// baseURL checks raw and returns it without a trailing "/" or "/v1".
func baseURL(raw string) (string, error) {
	const fix = "give it as http://host:port with -url or VLLM_BASE_URL"
	if raw == "" {
		return "", fmt.Errorf("the server's URL is empty: %s", fix)
	}
	if !strings.Contains(raw, "://") {
		return "", fmt.Errorf("the server's URL %q has no scheme: %s", Clean(raw), fix)
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		// The parser's error repeats the URL, which may hold a password.
		return "", fmt.Errorf("the server's URL cannot be read: %s", fix)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("the server's URL (host %q) holds a user, a query or a fragment: %s, and a key with -api-key or VLLM_API_KEY", u.Host, fix)
	case u.Scheme != "http" && u.Scheme != "https":
		return "", fmt.Errorf("the server's URL %q has scheme %q, not http or https: %s", Clean(raw), u.Scheme, fix)
	case u.Hostname() == "":
		return "", fmt.Errorf("the server's URL %q has no host: %s", Clean(raw), fix)
	}
	u.Path = strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/v1")
	u.RawPath = ""
	return u.String(), nil
}
