package client

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"regexp"
	"time"
)

const (
	drainBytes = 64 << 10
	drainTime  = 100 * time.Millisecond
	tailBytes  = 4 << 10
)

// A flight is one request on its way. It travels in the request's context,
// since go-openai lets nothing else through to the doer.
type flight struct {
	req      *Request
	model    string
	conn     *conn
	attempts int
	reused   bool
	connect  time.Duration
	body     *body
}

type flightKey struct{}

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
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		resp.Body.Close()
		return nil, fmt.Errorf("%w to %s: name that address instead", errRedirect, resp.Header.Get("Location"))
	}
	f.body = &body{ReadCloser: resp.Body}
	resp.Body = f.body
	return resp, nil
}

// trace makes f the owner of the connection that its request goes out on.
func (f *flight) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			f.attempts++
			f.reused, f.connect = info.Reused, 0
			if f.conn = stampedConn(info.Conn); f.conn == nil {
				return
			}
			if !info.Reused {
				f.connect = f.conn.clock.now() - f.conn.opened
			}
			f.conn.take(f)
		},
	})
}

// A body is a response's stream. It keeps the stream's last bytes, which tell
// how it ended, and on Close reads on to the end of a stream that is
// complete, so that its connection can be used again.
type body struct {
	io.ReadCloser
	tail []byte
	eof  bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.eof = b.eof || err == io.EOF
	if len(b.tail)+n > tailBytes {
		keep := max(0, tailBytes-n)
		b.tail = append(b.tail[:0], b.tail[max(0, len(b.tail)-keep):]...)
	}
	b.tail = append(b.tail, p[:n]...)
	return n, err
}

func (b *body) Close() error {
	if !b.eof && b.done() {
		stop := time.AfterFunc(drainTime, func() { b.ReadCloser.Close() })
		_, _ = io.CopyN(io.Discard, b.ReadCloser, drainBytes) // an error costs the connection, not the result
		stop.Stop()
	}
	return b.ReadCloser.Close()
}

var doneLine = regexp.MustCompile(`(?m)^data:[ \t]*\[DONE\][ \t\r]*$`)

// done says whether the stream has ended with [DONE].
func (b *body) done() bool { return doneLine.Match(b.tail) }
