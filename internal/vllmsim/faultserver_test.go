package vllmsim

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An arrival is one read from a pipe, which is one write of the server.
type arrival struct {
	at   time.Duration
	data string
}

// onFakeClock sends a request to a server on a fake clock, and returns what came
// until it is silent for a minute, how it ended, and the truth, if the server tells.
func onFakeClock(t *testing.T, f Faults, fault, path, body string) (all []arrival, end string, truth Truth) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if f.Truth != nil || f.Header {
			f.Truth = func(told Truth) { truth = told }
		}
		s, err := New(Config{SleepUntil: RuntimeSleep, Faults: f})
		require.NoError(t, err)
		l := &pipeListener{make(chan net.Conn), make(chan struct{})}
		go s.Serve(l)
		defer s.Close()
		c, err := l.dial(t.Context(), "", "")
		require.NoError(t, err)
		request, err := http.NewRequest("POST", "http://sim"+path, strings.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set(FaultHeader, fault)
		require.NoError(t, request.Write(c))
		began := time.Now()
		for buf := make([]byte, 1<<16); err == nil; {
			var n int
			require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
			n, err = c.Read(buf)
			if n > 0 {
				all = append(all, arrival{time.Since(began), visible(buf[:n])})
			}
		}
		if end = "silent"; errors.Is(err, io.EOF) {
			end = "closed"
		}
		c.Close()
		synctest.Wait()
		truth.Arrived, truth.Ended = time.Time{}.Add(truth.Arrived.Sub(began)), time.Time{}.Add(truth.Ended.Sub(began))
		for i, e := range truth.Events {
			assert.Equal(t, e.Began, e.Ended, "a pipe takes no time")
			truth.Events[i] = Sent{Tokens: e.Tokens, Began: time.Time{}.Add(e.Began.Sub(began))}
		}
	})
	return all, end, truth
}

// TestUnharmedStream compares a server that could do wrong with one that cannot:
// the same bytes in the same writes at the same times.
func TestUnharmedStream(t *testing.T) {
	for _, tt := range []struct{ path, body string }{{"/v1/completions", askCompletion}, {"/v1/chat/completions", askChat}} {
		clean, _, _ := onFakeClock(t, Faults{}, "", tt.path, tt.body)
		got, end, truth := onFakeClock(t, Faults{Header: true}, "none", tt.path, tt.body)
		assert.Equal(t, clean, got)
		assert.Equal(t, "silent", end)
		assert.Equal(t, Completed, truth.End)
		assert.Equal(t, 4, truth.Generated)
		require.Len(t, truth.Events, 4)
		var last time.Duration
		for _, e := range truth.Events {
			at := e.Began.Sub(time.Time{})
			assert.Greater(t, at, last)
			last = at
			assert.True(t, containsTime(got, at), "a write at %v", at)
		}
	}
}

func containsTime(all []arrival, at time.Duration) bool {
	for _, a := range all {
		if a.at == at && strings.Contains(a.data, `"choices"`) {
			return true
		}
	}
	return false
}

// TestStalls has the server wait, and shows what the client has by then.
func TestStalls(t *testing.T) {
	for _, tt := range []struct {
		fault       string
		tokens      int
		wantEnd     string
		ending      Ending
		header      bool
		done, chunk bool
	}{
		{fault: "stall-header", ending: Left},
		{fault: "stall@0", header: true, ending: Left},
		{fault: "stall@2", header: true, tokens: 2, ending: Left},
		{fault: "stall@done", header: true, tokens: 4, ending: Left},
		{fault: "slow-end", header: true, tokens: 4, done: true, ending: Left},
		{fault: "stall=10s@2", header: true, tokens: 4, done: true, chunk: true, ending: Completed},
		{fault: "stall-header=10s", header: true, tokens: 4, done: true, chunk: true, ending: Completed},
		{fault: "slow-end=10s", header: true, tokens: 4, done: true, chunk: true, ending: Completed},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			all, end, truth := onFakeClock(t, Faults{Header: true}, tt.fault, "/v1/completions", askCompletion)
			var text strings.Builder
			var longest, last time.Duration
			for _, a := range all {
				text.WriteString(a.data)
				longest, last = max(longest, a.at-last), a.at
			}
			assert.Equal(t, "silent", end)
			assert.Equal(t, tt.header, strings.Contains(text.String(), "200 OK"))
			assert.Equal(t, tt.tokens, strings.Count(text.String(), `"text":`))
			assert.Equal(t, tt.done, strings.Contains(text.String(), "[DONE]"))
			assert.Equal(t, tt.chunk, strings.HasSuffix(text.String(), "0␍\n␍\n"))
			assert.Equal(t, tt.ending, truth.End)
			assert.Len(t, truth.Events, tt.tokens)
			if strings.Contains(tt.fault, "10s") {
				assert.InDelta(t, 10, longest.Seconds(), 0.1)
			}
		})
	}
}

// On a half-closed connection the server waits for the client to close its half.
func TestHalfClosed(t *testing.T) {
	addr, truths := faulty(t, tiny())
	c := raw(t, addr, "/v1/completions", askCompletion, "cut=half@2")
	answer, end := readAnswer(c)
	assert.Equal(t, "closed", end)
	assert.Equal(t, 2, strings.Count(string(answer), `"text":`))
	select {
	case <-truths:
		t.Fatal("the server has closed its other half")
	case <-time.After(20 * time.Millisecond):
	}
	require.NoError(t, c.Close())
	assert.Equal(t, Closed, next(t, truths).End)
}

func TestGzip(t *testing.T) {
	addr, _ := faulty(t, tiny())
	answer, end := readAnswer(raw(t, addr, "/v1/completions", askCompletion, "gzip"))
	assert.Equal(t, "open, complete", end)
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(answer)), nil)
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, "gzip", resp.Header.Get("Content-Encoding"))
	z, err := gzip.NewReader(resp.Body)
	require.NoError(t, err)
	body, err := io.ReadAll(z)
	require.NoError(t, err)
	assert.Equal(t, 4, strings.Count(string(body), `"text":`))
	assert.True(t, strings.HasSuffix(string(body), doneEvent))
}

// TestHTTP2 speaks it without TLS, as only a server with faults takes it.
func TestHTTP2(t *testing.T) {
	addr, truths := faulty(t, tiny())
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: transport}
	defer client.CloseIdleConnections()
	for fault, want := range map[string]string{"none": doneEvent, "split": doneEvent, "cut": "", "reset": "", "error": doneEvent} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+addr+"/v1/completions", strings.NewReader(askCompletion))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set(FaultHeader, fault)
		resp, err := client.Do(req)
		require.NoError(t, err)
		assert.Equal(t, 2, resp.ProtoMajor)
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		assert.Equal(t, want == "", err != nil, fault)
		assert.Contains(t, string(body), want)
		assert.True(t, strings.HasPrefix(joinFaults(next(t, truths).Faults), fault))
	}
}

func TestHeaderIsHeededOnlyIfAllowed(t *testing.T) {
	addr := strings.TrimPrefix(start(t, tiny()), "http://")
	answer, _ := readAnswer(raw(t, addr, "/v1/completions", askCompletion, "refuse"))
	assert.Contains(t, string(answer), doneEvent)

	addr, truths := faulty(t, Config{ServedModelName: "tiny", Faults: Faults{Rules: rules(t, "end")}})
	answer, _ = readAnswer(raw(t, addr, "/v1/completions", askCompletion, "nope"))
	assert.Contains(t, string(answer), `"message":"header X-Vllmsim-Fault: unknown fault \"nope\": use one of stall-header`)
	answer, _ = readAnswer(raw(t, addr, "/v1/completions", askCompletion, "none"))
	assert.Contains(t, string(answer), doneEvent, "instead of the rules")
	answer, _ = readAnswer(raw(t, addr, "/v1/completions", askCompletion, ""))
	assert.NotContains(t, string(answer), doneEvent, "by the rules")
	truth := next(t, truths)
	assert.Equal(t, "s", truth.CacheSalt)
	assert.Equal(t, "id-1", truth.RequestID)
	assert.Equal(t, "end@done", joinFaults(next(t, truths).Faults))
}
