package client

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

const (
	dialTimeout = 10 * time.Second

	// uvicorn, and so vLLM, closes a connection that was idle for 5 s. One
	// that is younger can be used without meeting that close.
	idleTimeout = 3 * time.Second

	// Requests up to this size (a prompt of about 10 000 ids) leave in one
	// write, so that its start is the time at which the last byte was sent.
	writeBuffer = 64 << 10
)

func (c *Client) newTransport() *http.Transport {
	return &http.Transport{
		DialContext:         c.dial,
		MaxIdleConnsPerHost: c.cfg.Streams,
		IdleConnTimeout:     idleTimeout,
		DisableCompression:  true,                                                   // gzip would hold events back
		TLSNextProto:        map[string]func(string, *tls.Conn) http.RoundTripper{}, // no HTTP/2: one stream a connection
		TLSClientConfig:     c.cfg.TLS.Clone(),
		TLSHandshakeTimeout: dialTimeout,
		WriteBufferSize:     writeBuffer,

		MaxResponseHeaderBytes: maxHeader,
	}
}

func (c *Client) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	began := c.clock.now()
	nc, err := c.dialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	c.opened.Add(1)
	sc := &conn{Conn: nc, clock: c.clock, opened: began}
	if !c.cfg.UserStamps {
		sc.kernel = newReceiver(nc)
	}
	if sc.kernel == nil {
		c.user.Add(1)
	}
	return sc, nil
}
