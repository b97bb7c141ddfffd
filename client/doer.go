package client

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	drainBytes = 64 << 10
	drainTime  = time.Second // a host that is busy sends the end late
	tailBytes  = 4 << 10
)

var errRedirect = errors.New("the server redirects")

func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// A doer is go-openai's HTTP client: it completes the body, notes the
// connection, and wraps the answer.
type doer struct{ http *http.Client }

func (d *doer) Do(req *http.Request) (*http.Response, error) {
	f := req.Context().Value(flightKey{}).(*flight)
	raw, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	raw, err = f.req.patch(raw, f.model)
	if err != nil {
		return nil, err
	}
	req.ContentLength = int64(len(raw))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil }
	req.Body, _ = req.GetBody()
	// A key that is present but empty is not sent, and lets net/http repeat a
	// POST when the server closed a kept connection just as it was taken.
	req.Header["Idempotency-Key"] = nil
	req.Header.Del("Connection")

	resp, err := d.http.Do(req.WithContext(f.trace(req.Context())))
	if err != nil {
		return nil, err
	}
	f.status = resp.StatusCode
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		resp.Body.Close()
		return nil, fmt.Errorf("%w to %s: name that address instead", errRedirect, resp.Header.Get("Location"))
	}
	f.body = &body{ReadCloser: resp.Body, tail: make([]byte, 0, tailBytes), bound: bound{stream: resp.StatusCode < 300, tokens: f.req.OutputTokens}}
	resp.Body = f.body
	return resp, nil
}

// A body is a response's stream. It keeps the stream's last bytes, which tell
// how it ended, and on Close reads on to the end of a stream that is
// complete, so that its connection can be used again.
type body struct {
	io.ReadCloser
	tail  []byte // half of tailBytes or more, if there were as many
	eof   bool
	bound bound
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.eof = b.eof || err == io.EOF
	b.keep(p[:n])
	if excess := b.bound.count(p[:n]); excess != nil {
		return n, excess
	}
	return n, err
}

func (b *body) keep(p []byte) {
	if over := len(b.tail) + len(p) - tailBytes; over > 0 {
		// By half at least, so that a byte is moved once and not with every read.
		drop := min(len(b.tail), max(over, tailBytes/2))
		b.tail = append(b.tail[:0], b.tail[drop:]...)
	}
	b.tail = append(b.tail, p[max(0, len(p)-tailBytes):]...)
}

func (b *body) Close() error {
	if !b.eof && b.done() {
		stop := time.AfterFunc(drainTime, func() { b.ReadCloser.Close() })
		_, _ = io.CopyN(io.Discard, b.ReadCloser, drainBytes) // an error costs the connection, not the result
		stop.Stop()
	}
	return b.ReadCloser.Close()
}

// done says whether the stream has ended with [DONE].
func (b *body) done() bool {
	for line := range bytes.Lines(b.tail) {
		payload, ok := bytes.CutPrefix(line, []byte("data:"))
		if ok && string(bytes.TrimSpace(payload)) == "[DONE]" {
			return true
		}
	}
	return false
}
