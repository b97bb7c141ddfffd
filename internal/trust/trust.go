// Package trust decides which servers are believed, and who else gets to see what is asked of them.
//
// Certificates are verified. A question goes to the server that was named and
// to nobody else: no proxy, and no redirection to another address, since it
// carries the API key.
package trust

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"
)

const (
	// MaxHeader bounds the header of an answer, in bytes. Servers write below 1 kB.
	MaxHeader = 64 << 10

	handshake = 10 * time.Second
	hops      = 10 // redirections within a server, as net/http allows
)

// A Trust says whose certificates are believed. The zero Trust believes what this system does.
type Trust struct {
	CA       string // file of PEM certificates of authorities that are believed besides the system's; "": none
	Insecure bool   // no certificate is verified
}

// TLS returns the configuration for crypto/tls; nil is its default. It fails
// if the file of certificates cannot be read or has none.
func (t Trust) TLS() (*tls.Config, error) {
	switch {
	case t.CA != "" && t.Insecure:
		return nil, errors.New("-ca and -insecure contradict each other: give -ca alone, which verifies")
	case t.Insecure:
		return &tls.Config{InsecureSkipVerify: true}, nil
	case t.CA == "":
		return nil, nil
	}
	pem, err := os.ReadFile(t.CA)
	if err != nil {
		return nil, fmt.Errorf("-ca: %w: name a file of certificates in PEM", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a system without authorities
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("-ca: %s has no certificate in PEM: name the file of the authority that signed the server's", t.CA)
	}
	return &tls.Config{RootCAs: pool}, nil
}

// Client returns an HTTP client that believes conf, nil being the default. It
// follows redirections within a server only: a longer way ends with the
// answer that redirects.
func Client(conf *tls.Config) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			TLSClientConfig:        conf.Clone(),
			TLSHandshakeTimeout:    handshake,
			MaxResponseHeaderBytes: MaxHeader,
		},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			from := via[0].URL
			if req.URL.Scheme != from.Scheme || req.URL.Host != from.Host || len(via) >= hops {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}
}
