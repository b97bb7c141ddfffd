package engine

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const otherURL = "name another server with -url or VLLM_BASE_URL"

// explain turns a failed exchange with base into one sentence with the fix.
func (c *Client) explain(ctx context.Context, base string, wait time.Duration, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("asking %s: %w", base, ctx.Err())
	}
	// A url.Error repeats the method and the URL.
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err
	}
	var (
		dns    *net.DNSError
		dial   *net.OpError
		record tls.RecordHeaderError
		cert   *tls.CertificateVerificationError
		name   x509.HostnameError
		slow   net.Error
	)
	switch {
	case errors.As(err, &dns):
		return fmt.Errorf("the host of %s cannot be found (%w): check its name, or %s", base, err, otherURL)
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &record):
		return fmt.Errorf("%s does not speak HTTPS: use http:// in -url or VLLM_BASE_URL", base)
	case errors.As(err, &name):
		return fmt.Errorf("the certificate of %s is for another name (%s): use one of its names in -url or VLLM_BASE_URL", base, c.clean(err.Error()))
	case errors.As(err, &cert):
		return fmt.Errorf("the certificate of %s is not trusted (%s): name the file of its authority with -ca", base, c.clean(err.Error()))
	case errors.As(err, &slow) && slow.Timeout():
		return fmt.Errorf("%s did not answer within %v: check that it is ready, or %s", base, wait, otherURL)
	case errors.As(err, &dial) && dial.Op == "dial":
		return fmt.Errorf("no server answers at %s (%w): start it, or %s", base, err, otherURL)
	case strings.HasPrefix(base, "http://") && closedOnUs(err):
		return fmt.Errorf("%s closed the connection without an HTTP answer: if it speaks HTTPS, use https:// in -url or VLLM_BASE_URL, else see its log", base)
	}
	// A transport error may quote bytes of the server, so it is repeated as words.
	return fmt.Errorf("asking %s failed (%s): see the server's log, or %s", base, c.clean(err.Error()), otherURL)
}

// closedOnUs says whether the peer hung up or sent something other than HTTP,
// as a TLS server does when it gets plain HTTP.
func closedOnUs(err error) bool {
	var broken *net.OpError
	return errors.Is(err, io.EOF) || errors.As(err, &broken) ||
		strings.Contains(err.Error(), "malformed HTTP response")
}

// refused turns an answer other than 200 into one sentence with the fix.
func (c *Client) refused(question string, a *answer) error {
	base := a.base
	said := c.clean(message(a.body))
	switch {
	case a.status == http.StatusUnauthorized && c.APIKey == "":
		return fmt.Errorf("%s wants an API key (401): give it with -api-key or VLLM_API_KEY", base)
	case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden:
		return fmt.Errorf("%s refuses the API key or its absence (%d): give another with -api-key or VLLM_API_KEY", base, a.status)
	case a.status == http.StatusBadRequest && strings.HasPrefix(base, "http://") && strings.Contains(strings.ToUpper(said), "HTTPS"):
		return fmt.Errorf("%s speaks HTTPS: use https:// in -url or VLLM_BASE_URL", base)
	case a.status == http.StatusNotFound || a.status == http.StatusMethodNotAllowed:
		return fmt.Errorf("%s is not an OpenAI-compatible server (%s answers %s): give the URL that /v1/models is under with -url or VLLM_BASE_URL", base, question, status(a, said))
	case a.status >= 500:
		return fmt.Errorf("%s is not ready (%s answers %s): wait until it serves, or %s", base, question, status(a, said), otherURL)
	}
	return fmt.Errorf("%s refuses %s (%s): see the server's log, or %s", base, question, status(a, said), otherURL)
}

// status is what the answer says in words, e.g. "404 Not Found".
func status(a *answer, said string) string {
	s := strings.TrimSpace(fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)))
	if said != "" && !strings.EqualFold(said, http.StatusText(a.status)) {
		s += ": " + said
	}
	return s
}

// message finds the words of an error in a body: {"error":{"message"}} as
// OpenAI and vLLM have it, {"message"} as vLLM had it up to 0.10, {"error"}
// or {"detail"} of the frameworks below them, or else all of the body.
func message(body []byte) string {
	var m struct {
		Error, Message, Detail json.RawMessage
	}
	if json.Unmarshal(body, &m) != nil {
		return string(body)
	}
	var inner struct{ Message string }
	if json.Unmarshal(m.Error, &inner) == nil && inner.Message != "" {
		return inner.Message
	}
	for _, raw := range []json.RawMessage{m.Message, m.Error, m.Detail} {
		var s string
		if json.Unmarshal(raw, &s) == nil && s != "" {
			return s
		}
	}
	return string(body)
}
