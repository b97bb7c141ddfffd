// Package client sends one streamed generation to an OpenAI-compatible server
// and says when each token arrived.
//
// go-openai builds the request and frames the stream. Under it lies a doer that adds
// the fields go-openai does not know, and under that a connection that reads with the kernel's
// receive times, so that a token's time does not depend on when the client got to it.
package client

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	openai "github.com/sashabaranov/go-openai"
	"github.com/valyala/fastjson"
)

// Stamps says whose clock reading an arrival is.
type Stamps string

const (
	KernelStamps Stamps = "kernel" // when the kernel received the bytes
	UserStamps   Stamps = "user"   // when the client read them
)

// Config describes a server and how to talk to it.
type Config struct {
	// BaseURL is the server's address, with or without a trailing "/v1".
	BaseURL string

	// APIKey is sent in the Authorization header, and appears nowhere else. It may be empty.
	APIKey string

	// Model is the name by which the server serves the model.
	Model string

	// Streams is the number of requests in flight that connections are kept for. 0 means 64.
	Streams int

	// FirstToken bounds the wait for the first token. 0 means 5 minutes.
	FirstToken time.Duration

	// Stall bounds the wait between two events. 0 means 1 minute.
	Stall time.Duration

	// TLS says which certificates are believed. Nil: those that this system believes.
	TLS *tls.Config

	// UserStamps turns kernel stamps off.
	UserStamps bool
}

// A Client sends requests to one server. It is safe for concurrent use.
//
// It speaks HTTP/1.1, one stream a connection, and uses no proxy: what it
// measures is the server, and the way there.
type Client struct {
	cfg       Config
	clock     clock
	api       *openai.Client
	transport *http.Transport
	stamps    io.Closer
	parsers   fastjson.ParserPool
	opened    atomic.Int64
	user      atomic.Int64 // connections without kernel stamps

	dialContext func(ctx context.Context, network, addr string) (net.Conn, error)
}

// New returns a client for the server at cfg.BaseURL, without contacting it.
func New(cfg Config) (*Client, error) {
	u, err := url.Parse(cfg.BaseURL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("the server's URL %q is not of the form http://HOST:PORT", cfg.BaseURL)
	}
	if cfg.Streams == 0 {
		cfg.Streams = 64
	}
	if cfg.FirstToken == 0 {
		cfg.FirstToken = 5 * time.Minute
	}
	if cfg.Stall == 0 {
		cfg.Stall = time.Minute
	}
	c := &Client{cfg: cfg, clock: clock{time.Now()}, dialContext: (&net.Dialer{Timeout: dialTimeout}).DialContext}
	c.transport = c.newTransport()
	c.stamps = io.NopCloser(nil)
	if !cfg.UserStamps {
		c.stamps = holdStamps()
	}

	oc := openai.DefaultConfig(cfg.APIKey)
	oc.BaseURL = strings.TrimSuffix(strings.TrimRight(cfg.BaseURL, "/"), "/v1") + "/v1"
	oc.HTTPClient = &doer{http: &http.Client{Transport: c.transport, CheckRedirect: refuseRedirect}}
	// Keep-alive comments are lines without a message: the stall timeout
	// bounds a stream of them, not their number.
	oc.EmptyMessagesLimit = 1 << 30
	c.api = openai.NewClientWithConfig(oc)
	return c, nil
}

// Epoch is the instant from which the times of results are counted.
func (c *Client) Epoch() time.Time { return c.clock.epoch }

// Now is the time since the epoch.
func (c *Client) Now() time.Duration { return c.clock.now() }

// Opened is the number of connections opened so far.
func (c *Client) Opened() int { return int(c.opened.Load()) }

// Stamps says which stamps results carry: KernelStamps on Linux unless the
// configuration or a connection refused them.
func (c *Client) Stamps() Stamps {
	if !kernelStamps || c.cfg.UserStamps || c.user.Load() > 0 {
		return UserStamps
	}
	return KernelStamps
}

// Close closes the connections that are not in use, and lets the kernel stop stamping.
func (c *Client) Close() {
	c.transport.CloseIdleConnections()
	c.stamps.Close()
}
