package trust

import (
	"crypto/tls"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// secure serves h by TLS with a certificate that no system trusts, and returns the file of its authority.
func secure(t *testing.T, h http.Handler) (url, ca string) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	ca = filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	require.NoError(t, os.WriteFile(ca, text, 0o666))
	return s.URL, ca
}

func status(t *testing.T, trust Trust, url string) (int, error) {
	t.Helper()
	conf, err := trust.TLS()
	require.NoError(t, err)
	resp, err := Client(conf).Get(url)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

func TestTrust(t *testing.T) {
	url, ca := secure(t, http.NotFoundHandler())
	_, err := status(t, Trust{}, url)
	var unverified *tls.CertificateVerificationError
	assert.ErrorAs(t, err, &unverified, "nobody vouches for it")
	for _, trust := range []Trust{{CA: ca}, {Insecure: true}} {
		got, err := status(t, trust, url)
		require.NoError(t, err)
		assert.Equal(t, http.StatusNotFound, got)
	}
	// The certificate is for other names than this one.
	_, err = status(t, Trust{CA: ca}, strings.Replace(url, "127.0.0.1", "localhost", 1))
	assert.ErrorAs(t, err, &unverified)
}

func TestTrustRefuses(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.pem")
	require.NoError(t, os.WriteFile(empty, []byte("no certificate"), 0o666))
	for _, tt := range []struct {
		trust Trust
		says  string
	}{
		{Trust{CA: filepath.Join(dir, "missing")}, ": name a file of certificates in PEM"},
		{Trust{CA: empty}, "-ca: " + empty + " has no certificate in PEM"},
		{Trust{CA: empty, Insecure: true}, "-ca and -insecure contradict each other"},
	} {
		_, err := tt.trust.TLS()
		assert.ErrorContains(t, err, tt.says)
	}
}

// TestRedirection: a redirection to another port, host or scheme is not followed, so the key stays here.
func TestRedirection(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another server was asked, with the key %q", r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	here := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusTemporaryRedirect)
		case "/metrics":
			http.Redirect(w, r, "/metrics/", http.StatusTemporaryRedirect)
		default:
			assert.Equal(t, "Bearer k", r.Header.Get("Authorization"))
		}
	}))
	defer here.Close()
	for path, want := range map[string]int{"/away": 307, "/loop": 307, "/metrics": 200} {
		req, err := http.NewRequest(http.MethodGet, here.URL+path, nil)
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer k")
		resp, err := Client(nil).Do(req)
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, want, resp.StatusCode, path)
	}
}

func TestHeaderIsBounded(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X", strings.Repeat("x", 2*MaxHeader))
	}))
	defer s.Close()
	_, err := status(t, Trust{}, s.URL)
	assert.ErrorContains(t, err, "headers exceeded")
}
