package engine

import (
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/trust"
)

// endless answers with head, then part again and again until the client hangs up.
func endless(t *testing.T, head, part string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, head)
		block := strings.Repeat(part, 1+64<<10/len(part))
		for n := 0; n < 1<<30; n += len(block) {
			if _, err := io.WriteString(w, block); err != nil {
				return
			}
		}
		t.Error("the client read 1 GiB")
	}
}

// TestEndlessAnswers: whatever a server goes on writing, an error is soon there.
func TestEndlessAnswers(t *testing.T) {
	for name, serve := range map[string]http.HandlerFunc{
		"models":  endless(t, `{"object":"list","data":[`, `{"id":"a"},`),
		"metrics": endless(t, "", "vllm:num_requests_running 1\n"),
		"label":   endless(t, `vllm:num_requests_running{a="`, "x"),
		"silence": endless(t, "", " "),
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t, serve)
			_, err := c.Discover(t.Context(), "")
			assert.ErrorContains(t, err, "with more than 4 MiB: check that it is the server to measure")
			_, err = c.Snapshot(t.Context(), "")
			assert.ErrorContains(t, err, "GET /metrics with more than 4 MiB")
			_, err = c.Tokenize(t.Context(), "m", "x")
			assert.ErrorContains(t, err, "POST /tokenize with more than 4 MiB")
		})
	}
}

// TestLargestAnswers: the most that is read does not become much more in memory.
func TestLargestAnswers(t *testing.T) {
	fill := func(head, part, tail string) string {
		return head + strings.Repeat(part, (maxBody-len(head)-len(tail))/len(part)) + tail
	}
	for name, body := range map[string]string{
		"models":  fill(`{"data":[`, `{},`, `{}]}`),
		"samples": fill("", "a 1\n", ""),
		"labels":  fill("a{", `b="",`, "} 1\n"),
		"names":   fill("", "aaaaaaaaaaaa 1\n", ""),
		"JSON":    fill("", "[", ""),
		"tokens":  fill(`{"tokens":[`, "1,", "1]}"),
	} {
		t.Run(name, func(t *testing.T) {
			require.LessOrEqual(t, len(body), maxBody)
			c := start(t, says(200, body))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, discover := c.Discover(t.Context(), "")
			_, snapshot := c.Snapshot(t.Context(), "")
			_, tokenize := c.Tokenize(t.Context(), "m", "x")
			runtime.ReadMemStats(&after)
			t.Logf("%d MiB allocated in all; %.80v; %.80v; %.80v", (after.TotalAlloc-before.TotalAlloc)>>20, discover, snapshot, tokenize)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<30))
		})
	}
}

func TestEndlessHeader(t *testing.T) {
	c := start(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X", strings.Repeat("x", 1<<20))
	}))
	_, err := c.Snapshot(t.Context(), "")
	assert.ErrorContains(t, err, "headers exceeded")
}

// TestTrickle is a server whose answer never ends and never is much.
func TestTrickle(t *testing.T) {
	c := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			io.WriteString(w, " ")
			w.(http.Flusher).Flush()
			time.Sleep(time.Millisecond)
		}
	}))
	c.Timeout = 50 * time.Millisecond
	_, err := c.Discover(t.Context(), "")
	assert.ErrorContains(t, err, "did not answer within 50ms")
}

// TestRedirectKeepsTheKey: another address is named, without the key, and not asked.
func TestRedirectKeepsTheKey(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the other server was asked") }))
	defer other.Close()
	c := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", other.URL+"/?key="+strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		w.WriteHeader(http.StatusPermanentRedirect)
	}))
	c.APIKey = "sk-secret"
	_, err := c.Discover(t.Context(), "")
	assert.EqualError(t, err, c.URL+" redirects GET /v1/models to "+other.URL+"/?key=[API key], where the key does not follow: name that address with -url or VLLM_BASE_URL")
}

// TestCertificates: what is not trusted, or is for another name, says how to trust it.
func TestCertificates(t *testing.T) {
	s := httptest.NewUnstartedServer(vllmRoutes(t, nil))
	s.Config.ErrorLog = quiet()
	s.StartTLS()
	defer s.Close()
	ca := authority(t, s)
	for _, tt := range []struct {
		name, url, want string
		trust           trust.Trust
	}{
		{"unknown", s.URL, "is not trusted (tls: failed to verify certificate: x509: ", trust.Trust{}},
		{"unknown's fix", s.URL, "name the file of its authority with -ca", trust.Trust{}},
		{"another name", strings.Replace(s.URL, "127.0.0.1", "localhost", 1), "is for another name (tls: failed to verify certificate: x509: certificate is valid for", trust.Trust{CA: ca}},
		{"its authority", s.URL, "", trust.Trust{CA: ca}},
		{"not verified", s.URL, "", trust.Trust{Insecure: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conf, err := tt.trust.TLS()
			require.NoError(t, err)
			_, err = (&Client{URL: tt.url, HTTP: trust.Client(conf)}).Discover(t.Context(), "")
			if tt.want == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, tt.want)
			}
		})
	}
}
