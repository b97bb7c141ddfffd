package push

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/prometheus/prompb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/protobuf/proto"

	"vllmbench/internal/series"
)

var at = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// samples are n of each of two series, a second apart.
func samples(n int) (out []series.Sample) {
	for i := range n {
		for _, m := range []string{"tok/s", "p50-ttft-ns"} {
			name := series.Of(m)
			s := series.Sample{Value: series.Value{Name: name, Value: float64(i)}, At: at.Add(time.Duration(i) * time.Second), Labels: []series.Label{{Name: "cell", Value: "A"}}}
			if name.Quantile != "" {
				s.Labels = append(s.Labels, series.Label{Name: "quantile", Value: name.Quantile})
			}
			out = append(out, s)
		}
	}
	return out
}

// A store is what a remote write receiver got.
type store struct {
	t        *testing.T
	requests []*prompb.WriteRequest
	auth     string
	path     string
}

func (s *store) Store(req *http.Request, _ remote.WriteMessageType) (*remote.WriteResponse, error) {
	body, err := io.ReadAll(req.Body)
	require.NoError(s.t, err)
	var w prompb.WriteRequest
	require.NoError(s.t, w.Unmarshal(body))
	s.requests = append(s.requests, &w)
	s.auth, s.path = req.Header.Get("Authorization"), req.URL.Path
	return remote.NewWriteResponse(), nil
}

func TestRemoteWrite(t *testing.T) {
	s := &store{t: t}
	server := httptest.NewTLSServer(remote.NewWriteHandler(s, remote.MessageTypes{remote.WriteV1MessageType}))
	defer server.Close()
	conf := &tls.Config{RootCAs: x509.NewCertPool()}
	conf.RootCAs.AddCert(server.Certificate())
	require.NoError(t, RemoteWrite(t.Context(), Target{URL: server.URL, Token: "hush", TLS: conf}, samples(batch)))
	assert.Equal(t, "Bearer hush", s.auth)
	assert.Equal(t, "/api/v1/write", s.path)
	require.Len(t, s.requests, 2, "no request holds more than a receiver takes")
	for k, r := range s.requests {
		require.Len(t, r.Timeseries, 2)
		assert.Equal(t, []prompb.Label{{Name: "__name__", Value: "vllmbench_row_tokens_per_second"}, {Name: "cell", Value: "A"}}, r.Timeseries[0].Labels)
		assert.Equal(t, []prompb.Label{{Name: "__name__", Value: "vllmbench_row_ttft_seconds"}, {Name: "cell", Value: "A"}, {Name: "quantile", Value: "0.5"}}, r.Timeseries[1].Labels)
		require.Len(t, r.Timeseries[0].Samples, batch/2)
		first := k * batch / 2
		assert.Equal(t, prompb.Sample{Value: float64(first), Timestamp: at.UnixMilli() + int64(first)*1000}, r.Timeseries[0].Samples[0])
	}
	assert.ErrorContains(t, RemoteWrite(t.Context(), Target{URL: server.URL}, samples(1)), "certificate", "an unknown authority is not believed")
}

func TestOTLP(t *testing.T) {
	var got collector.ExportMetricsServiceRequest
	var auth, path string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		assert.NoError(t, proto.Unmarshal(body, &got))
		auth, path = r.Header.Get("Authorization"), r.URL.Path
	}))
	defer server.Close()
	require.NoError(t, OTLP(t.Context(), Target{URL: strings.Replace(server.URL, "//", "//me:hush@", 1)}, samples(3)))
	assert.Equal(t, "Basic bWU6aHVzaA==", auth)
	assert.Equal(t, "/v1/metrics", path)
	r := got.ResourceMetrics[0]
	assert.Equal(t, "vllmbench", r.Resource.Attributes[0].Value.GetStringValue())
	all := r.ScopeMetrics[0].Metrics
	require.Len(t, all, 2)
	assert.Equal(t, "vllmbench.row.tokens {token}/s", all[0].Name+" "+all[0].Unit)
	assert.Equal(t, "vllmbench.row.ttft s", all[1].Name+" "+all[1].Unit)
	points := all[1].GetGauge().DataPoints
	require.Len(t, points, 3)
	assert.Equal(t, uint64(at.Add(2*time.Second).UnixNano()), points[2].TimeUnixNano)
	assert.InDelta(t, 2, points[2].GetAsDouble(), 0)
	assert.Len(t, points[2].Attributes, 2)
}

// What a receiver refuses is said in one line, without the key.
func TestRefusals(t *testing.T) {
	for name, send := range map[string]func(Target) error{
		"remote write": func(to Target) error { return RemoteWrite(t.Context(), to, samples(1)) },
		"otlp":         func(to Target) error { return OTLP(t.Context(), to, samples(1)) },
	} {
		t.Run(name, func(t *testing.T) {
			answer := func(status int, text string) *httptest.Server {
				s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.WriteHeader(status)
					_, _ = io.WriteString(w, text)
				}))
				t.Cleanup(s.Close)
				return s
			}
			for _, c := range []struct {
				url  string
				says string
			}{
				{answer(401, "no\n\x1b[31m hush here").URL, "no [31m [API key] here"},
				{answer(400, "out of bounds").URL, "storage.tsdb.out_of_order_time_window"},
				{answer(400, strings.Repeat("x", 1<<20)).URL, "..."},
				{"http://127.0.0.1:1", "refused"},
				{"127.0.0.1:9090", "the address is no URL of http or https"},
				{"http://me:hush@%zz", "the address is no URL of http or https"},
				{strings.Replace(answer(307, "").URL, "//", "//me:hush@", 1), "307"},
			} {
				err := send(Target{URL: c.url, Token: "hush"})
				require.ErrorContains(t, err, c.says)
				assert.NotContains(t, err.Error(), "hush")
				assert.NotContains(t, err.Error(), "\n")
				assert.Less(t, len(err.Error()), 600)
			}
		})
	}
}

// A receiver that takes a part says so, and that is an error.
func TestOTLPPartly(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		body, _ := proto.Marshal(&collector.ExportMetricsServiceResponse{PartialSuccess: &collector.ExportMetricsPartialSuccess{RejectedDataPoints: 2, ErrorMessage: "too many"}})
		w.Header().Set("Content-Type", "application/x-protobuf")
		_, _ = w.Write(body)
	}))
	defer server.Close()
	assert.ErrorContains(t, OTLP(t.Context(), Target{URL: server.URL}, samples(1)), "too many")
}

// A receiver that is busy is asked again.
func TestRetries(t *testing.T) {
	for name, send := range map[string]func(Target) error{
		"remote write": func(to Target) error { return RemoteWrite(t.Context(), to, samples(1)) },
		"otlp":         func(to Target) error { return OTLP(t.Context(), to, samples(1)) },
	} {
		var asked atomic.Int32
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if asked.Add(1) == 1 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}))
		require.NoError(t, send(Target{URL: server.URL}), name)
		assert.Equal(t, "2", fmt.Sprint(asked.Load()), name)
		server.Close()
	}
}
