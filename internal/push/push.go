// Package push sends the rows of saved runs to a receiver of metrics.
//
// What is sent bears the time at which it was measured, not that of the
// sending, so that a run stands beside what a server's own monitoring kept of
// the same minutes.
package push

import (
	"crypto/tls"
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
	batch     = 2000             // samples of a request: receivers bound its size
	deadline  = 30 * time.Second // of a request
	retries   = 3                // of a request that the receiver was too busy for
	maxAnswer = 64 << 10         // bytes of an answer that are read
	maxWords  = 300              // bytes of an answer that are shown
)

// A Target is a receiver.
type Target struct {
	// URL is its address. A user and password in it are sent as such; without
	// a path, the protocol's usual one is meant.
	URL string

	// Token is sent in the Authorization header, and appears nowhere else. It may be empty.
	Token string

	// TLS says which certificates are believed. Nil: those that this system believes.
	TLS *tls.Config
}

// A receiver is a Target that is understood.
type receiver struct {
	url    *url.URL // without user and password
	client *http.Client
	hidden []string // what must not be shown
}

// open parses the address, of which path is the usual one.
func (t Target) open(path string) (*receiver, error) {
	u, err := url.Parse(t.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, errors.New("the address is no URL of http or https: name one, as in http://127.0.0.1:9090" + path)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = path
	}
	r := &receiver{client: trust.Client(t.TLS), hidden: []string{t.Token}}
	a := authorized{to: u.Host, next: r.client.Transport, user: u.User}
	if password, ok := u.User.Password(); ok {
		r.hidden = append(r.hidden, password)
	}
	if t.Token != "" {
		a.bearer = "Bearer " + t.Token
	}
	u.User = nil
	r.url, r.client.Transport, r.client.Timeout = u, a, deadline
	return r, nil
}

// says makes an error of the receiver's, or of the way there, one sentence.
func (r *receiver) says(err error) error {
	text := err.Error()
	for _, s := range r.hidden {
		text = secret.Redact(text, s)
	}
	text = strings.Join(strings.FieldsFunc(text, func(c rune) bool { return unicode.IsSpace(c) || !unicode.IsPrint(c) }), " ")
	if len(text) > maxWords {
		text = strings.ToValidUTF8(text[:maxWords], "") + "..."
	}
	hint := ""
	for _, old := range []string{"out of bounds", "out of order", "too old"} {
		if strings.Contains(text, old) {
			hint = ": the run is older than the receiver's newest samples: let it take such (Prometheus: storage.tsdb.out_of_order_time_window)"
		}
	}
	return fmt.Errorf("sending to %s: %s%s", r.url, text, hint)
}

// An authorized transport adds who is asking, and bounds what is answered.
type authorized struct {
	to     string // the host that may know
	user   *url.Userinfo
	bearer string
	next   http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (a authorized) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host == a.to && (a.user != nil || a.bearer != "") {
		req = req.Clone(req.Context())
		if a.user != nil {
			password, _ := a.user.Password()
			req.SetBasicAuth(a.user.Username(), password)
		} else {
			req.Header.Set("Authorization", a.bearer)
		}
	}
	resp, err := a.next.RoundTrip(req)
	if err == nil {
		resp.Body = bounded{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	}
	return resp, err
}

type bounded struct {
	io.Reader
	io.Closer
}
