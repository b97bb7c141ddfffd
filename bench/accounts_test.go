package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/measure"
	"vllmbench/internal/results"
	"vllmbench/internal/vllmsim"
)

// faulty runs an embedded server whose requests after the first ones all meet a fault.
func faulty(t *testing.T, fault string, after int) (url string) {
	t.Helper()
	rule, err := vllmsim.ParseRule(fault)
	require.NoError(t, err)
	return simulate(t, vllmsim.Config{Faults: vllmsim.Faults{Rules: []vllmsim.Rule{rule}, After: after}})
}

// lone runs one cell with a record and returns the child and the row.
func lone(t *testing.T, args ...string) (*child, measure.Row) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	c := runChild(t, append(tiny("-test.bench=Latency", "-record="+dir), args...)...)
	run, err := results.Open(dir)
	require.NoError(t, err, c.all())
	defer run.Close()
	require.Len(t, run.Rows, 1)
	return c, run.Rows[0].Measured
}

// TestAccounts is what the ledger says of servers whose counters are not those of our requests.
func TestAccounts(t *testing.T) {
	const theirs = ` are not ours: somebody else uses the server$`
	for _, tt := range []struct {
		fault string
		after int // requests, and scrapes, that are spared
		args  []string
		want  string
	}{
		{"foreign=8", 2, nil, `^void: ledger: \d requests, \d+ prompt tokens and \d+ generated tokens` + theirs},
		{"restart", 3, nil, `^void: ledger: the counters cannot be trusted, since the server was started anew$`},
		{"count-requests", 0, nil, `^void: ledger: the server counted \d more requests \(length\) than the \d of ours \(another client, or a request repeated\)$`},
		{"finish=stop", 0, nil, `^void: ledger: the server counted (\d) more requests \(length\) than the 0 of ours \(.*\); ledger: the server counted \d fewer requests \(stop\) than the \d of ours \(.*\)$`},
		{"metrics-without=prefix_cache", 0, []string{"-require-ledger"}, `^void: ledger: it is required \(-require-ledger\), but the server does not count prefix cache hits$`},
		{"metrics-status=404", 0, []string{"-require-ledger"}, `^void: ledger: it is required \(-require-ledger\), but the server does not offer its counters \(GET /metrics\)$`},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			t.Parallel()
			c, row := lone(t, append(tt.args, "-url="+faulty(t, tt.fault, tt.after))...)
			assert.Regexp(t, tt.want, voided(t, c))
			assert.NotEmpty(t, row.Void, "in the record")
		})
	}
}

// TestForeignStream is somebody's request that is in flight before, during and after ours.
func TestForeignStream(t *testing.T) {
	t.Parallel()
	url := simulate(t, vllmsim.Config{})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	const body = `{"model":"Qwen/Qwen2.5-7B","prompt":[1,2,3],"max_tokens":30000,"ignore_eos":true,"stream":true}`
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/completions", strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	go func() { _, _ = io.Copy(io.Discard, resp.Body) }()
	c, _ := lone(t, "-url="+url, "-output=40") // long enough for a look at the server within it on a busy machine
	assert.Regexp(t, `^void: ledger: the server counted \d+ more generated tokens than the \d+ of ours \(.*\); `+
		`ledger: 1 request is in flight and not ours, before, during and after the load: somebody else uses the server$`, voided(t, c))
}

// TestNoLedger is a server without counters: said once, and of no consequence unless asked for.
func TestNoLedger(t *testing.T) {
	t.Parallel()
	c, row := lone(t, "-url="+faulty(t, "metrics-status=404", 0))
	assert.Zero(t, c.status(), c.all())
	assert.Equal(t, []string{"not offered: what the server counted is not known, so no row is held against it (-require-ledger voids them)"}, c.comments("ledger: "))
	assert.Empty(t, row.Void)
	require.Len(t, row.Ledger, 5, "requests, prompt and generated tokens, hits, preemptions")
	for _, a := range row.Ledger {
		assert.False(t, a.Known, a.Name)
	}
}

var sample = regexp.MustCompile(`(?m)^(vllm:[^ ]*engine=")0(".*) (\S+)$`)

// parallel makes of a page that of two engines, of which the second did a third.
func parallel(page []byte) []byte {
	return sample.ReplaceAllFunc(page, func(line []byte) []byte {
		m := sample.FindSubmatch(line)
		v, _ := strconv.ParseFloat(string(m[3]), 64)
		other := float64(int(v) / 3)
		if bytes.Contains(m[1], []byte("_info{")) {
			other = v
		}
		return fmt.Appendf(nil, "%s0%s %g\n%s1%s %g", m[1], m[2], v-other, m[1], m[2], other)
	})
}

// TestDataParallel is a server of two engines: their counters are summed.
func TestDataParallel(t *testing.T) {
	t.Parallel()
	c, row := lone(t, "-require-ledger", "-url="+proxy{page: parallel}.before(t, simulate(t, vllmsim.Config{})))
	assert.Zero(t, c.status(), c.all())
	assert.Equal(t, []string{"required (-require-ledger)"}, c.comments("ledger: "))
	balanced(t, &row)
}

var began = regexp.MustCompile(`(?m)^process_start_time_seconds .*$`)

// TestSeveralProcesses is two API servers on one port that count for themselves:
// a third of the requests and half of the scrapes meet the second.
func TestSeveralProcesses(t *testing.T) {
	for name, page := range map[string]func(which int64, page []byte) []byte{
		"told by their start times": func(which int64, page []byte) []byte {
			return began.ReplaceAll(page, fmt.Appendf(nil, "process_start_time_seconds %d", 1e9+which))
		},
		"told by their counters": func(_ int64, page []byte) []byte { return began.ReplaceAll(page, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := inTurns(t, page)
			c, row := lone(t, "-test.benchtime=4x", "-url="+url)
			assert.Zero(t, c.status(), c.all())
			assert.Equal(t, []string{"Latency"}, c.cells())
			assert.Contains(t, c.comments("left out: "), "egress-ttft-ns in every row, because: the counters are not of one process: the ledger cannot be trusted")
			for _, a := range row.Ledger {
				assert.False(t, a.Known, a.Name)
			}
			c, _ = lone(t, "-test.benchtime=4x", "-require-ledger", "-url="+url)
			assert.Equal(t, "void: ledger: it is required (-require-ledger), but the counters are not of one process", voided(t, c))
		})
	}
}

// inTurns stands before two embedded servers. page changes what each shows.
func inTurns(t *testing.T, page func(which int64, page []byte) []byte) string {
	t.Helper()
	var to [2]*httputil.ReverseProxy
	for i := range to {
		target, err := url.Parse(simulate(t, vllmsim.Config{}))
		require.NoError(t, err)
		own := &http.Transport{DisableCompression: true} // servers of other tests close what is idle in the default one
		t.Cleanup(own.CloseIdleConnections)
		to[i] = &httputil.ReverseProxy{
			Transport: own, FlushInterval: -1, ErrorLog: log.New(io.Discard, "", 0), // clients leave in mid-stream
			Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(target)
				r.Out.Header.Del("Accept-Encoding")
			},
			ModifyResponse: proxy{page: func(b []byte) []byte { return page(int64(i), b) }}.spoil,
		}
	}
	var scrapes, streams atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body) // else a connection may break whose answer begins before its request was passed on
		if err != nil {
			return
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		which := int64(0)
		switch {
		case r.URL.Path == "/metrics":
			which = scrapes.Add(1) % 2
		case generates(r.URL.Path) && streams.Add(1)%3 == 0:
			which = 1
		}
		to[which].ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}
