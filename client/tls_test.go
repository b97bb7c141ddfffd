package client

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTLS: an unknown certificate is refused before the key is sent; a trusted one is measured with kernel stamps.
func TestTLS(t *testing.T) {
	var asked atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		assert.Equal(t, "Bearer k", r.Header.Get("Authorization"))
		assert.Equal(t, 1, r.ProtoMajor, "one stream a connection")
		io.WriteString(w, text("a", "")+text("b", "")+text("c", "length")+usage(5, 3)+doneEvent)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())

	for _, tt := range []struct {
		name string
		conf *tls.Config
		want Outcome
	}{
		{"unknown authority", nil, Connect},
		{"another authority", &tls.Config{RootCAs: x509.NewCertPool()}, Connect},
		{"its authority", &tls.Config{RootCAs: pool}, OK},
		{"another name", &tls.Config{RootCAs: pool, ServerName: "elsewhere"}, Connect},
		{"not verified", &tls.Config{InsecureSkipVerify: true}, OK},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := asked.Load()
			c, err := New(Config{BaseURL: s.URL, APIKey: "k", TLS: tt.conf})
			require.NoError(t, err)
			defer c.Close()
			res := c.Generate(t.Context(), three())
			assert.Equal(t, tt.want, res.Outcome, res.Error)
			if tt.want == OK {
				assert.Equal(t, before+1, asked.Load())
				assert.Len(t, res.Events, 3)
				return
			}
			assert.Equal(t, before, asked.Load())
			assert.Contains(t, res.Error, "certificate")
		})
	}
}

// TLS says goodbye when a connection is closed, which is no part of the request.
func TestSentOverTLS(t *testing.T) {
	for name, answer := range map[string]string{"no answer": "", "an end": "FIN", "no HTTP": "SSH-2.0-OpenSSH_9.2\r\n\r\n"} {
		t.Run(name, func(t *testing.T) {
			had := make(chan time.Time, 1)
			s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				had <- time.Now()
				if answer == "" {
					<-r.Context().Done()
					return
				}
				nc, _, err := w.(http.Hijacker).Hijack()
				assert.NoError(t, err)
				time.Sleep(10 * ms) // a goodbye within the request's own time would not be told from it
				if answer != "FIN" {
					_, _ = io.WriteString(nc, answer)
				}
				nc.Close()
			}))
			defer s.Close()
			pool := x509.NewCertPool()
			pool.AddCert(s.Certificate())
			c, err := New(Config{BaseURL: s.URL, TLS: &tls.Config{RootCAs: pool}, FirstToken: 100 * ms})
			require.NoError(t, err)
			defer c.Close()
			res := c.Generate(t.Context(), three())
			assert.NotEqual(t, OK, res.Outcome)
			assert.Positive(t, res.Sent)
			assert.Less(t, res.Sent, (<-had).Sub(c.Epoch()))
		})
	}
}
