package client

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

func whole() []string {
	return []string{streamHead, chunked(text("a", "")), chunked(text("b", "")), chunked(text("c", "length")), chunked(usage(5, 3)), chunked(doneEvent), lastChunk}
}

// The chunk that ends a body may come well after [DONE], when go-openai has
// stopped reading.
func TestSlowTerminator(t *testing.T) {
	s := listen(t, func(w *wire) {
		answer := whole()
		w.say(answer[:6]...)
		<-time.After(2 * time.Millisecond)
		w.say(answer[6:]...)
	})
	c := s.client(t, Config{})
	for i := range 20 {
		res := c.Generate(t.Context(), three())
		require.Equal(t, OK, res.Outcome, res.Error)
		assert.Equal(t, i > 0, res.Reused)
		assert.Equal(t, i == 0, res.Connect > 0)
		assert.Equal(t, 1, res.Attempts)
	}
	conns, _ := s.requests()
	assert.Equal(t, 1, conns)
	assert.Equal(t, 1, c.Opened())
}

// A server may close a kept connection just as the next request goes out on it.
func TestStaleKeepAlive(t *testing.T) {
	var nth atomic.Int64
	s := listen(t, func(w *wire) {
		w.say(whole()...)
		switch nth.Add(1) % 3 {
		case 0:
			w.reset()
		case 1:
			w.Close()
		}
	})
	c := s.client(t, Config{})
	var g errgroup.Group
	g.SetLimit(8)
	var retried atomic.Int64
	for range 400 {
		g.Go(func() error {
			res := c.Generate(t.Context(), three())
			assert.Equal(t, OK, res.Outcome, res.Error)
			assert.Equal(t, []int{1, 1, 1}, tokens(res))
			if res.Attempts > 1 {
				retried.Add(1)
			}
			return nil
		})
	}
	require.NoError(t, g.Wait())
	conns, wires := s.requests()
	t.Logf("%d connections, %d requests, %d sent again", conns, len(wires), retried.Load())
	assert.Greater(t, conns, 200)
	assert.Len(t, wires, 400, "none is answered twice")
}

// The wire is HTTP/1.1 without compression, whatever the server offers.
func TestProtocol(t *testing.T) {
	requests := make(chan *http.Request, 2)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests <- r
		_, _ = w.Write([]byte(text("a", "") + text("b", "") + text("c", "length") + usage(5, 3) + doneEvent))
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	c := (&scripted{url: s.URL}).client(t, Config{APIKey: "sk-1"})
	c.transport.TLSClientConfig = s.Client().Transport.(*http.Transport).TLSClientConfig
	res := c.Generate(t.Context(), three())
	require.Equal(t, OK, res.Outcome, res.Error)
	got := <-requests
	for range 1000 { // until the kernel stamps, see holdStamps
		if res = c.Generate(t.Context(), three()); res.Unstamped == 0 {
			break
		}
		<-requests
	}
	assert.Equal(t, "HTTP/1.1", got.Proto)
	assert.Equal(t, "Bearer sk-1", got.Header.Get("Authorization"))
	for _, name := range []string{"Accept-Encoding", "Idempotency-Key", "Connection"} {
		assert.NotContains(t, got.Header, name)
	}
	assert.Equal(t, "/v1/completions", got.URL.Path)
	assert.Zero(t, res.Unstamped)
	assert.Equal(t, kernelStamps, c.Stamps() == KernelStamps)
	for _, e := range res.Events {
		assert.Equal(t, kernelStamps, e.Lag > 0, "TLS hides the stamps of the socket below it")
	}
}

// Bytes belong to the request that a connection was given to.
func TestHandedOn(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	c := &conn{Conn: near, clock: clock{time.Now()}}
	read := func() {
		go func() { _, _ = far.Write([]byte("x")) }()
		_, err := c.Read(make([]byte, 1))
		require.NoError(t, err)
	}
	read() // nobody's
	var f, g flight
	f.take(c)
	read()
	read()
	g.take(c)
	_, first, last := f.times()
	read()
	_, again, latest := f.times()
	assert.EqualValues(t, 1, first.seq)
	assert.EqualValues(t, 2, last.seq)
	assert.Equal(t, []arrival{first, last}, []arrival{again, latest}, "the next request's bytes are not ours")
	_, _, other := g.times()
	assert.EqualValues(t, 1, other.seq)

	f.take(&conn{clock: c.clock}) // sent again on another connection
	f.arrived(c, 0, time.Now())
	f.wrote(c, 1)
	sent, _, last := f.times()
	assert.Zero(t, sent)
	assert.Zero(t, last.seq, "the connection that it left does not count")
}

// A read may leave part of what TCP merged to the next one: same stamp, same arrival.
func TestOneStampInTwoReads(t *testing.T) {
	now := time.Now()
	c := &conn{clock: clock{now.Add(-time.Second)}}
	var f flight
	f.take(c)
	stamp := now.Add(-10 * ms).UnixNano()
	f.arrived(c, stamp, now)
	_, _, a := f.times()
	f.arrived(c, stamp, now.Add(5*ms))
	_, first, b := f.times()
	assert.Equal(t, a, first)
	assert.Equal(t, arrival{seq: 1, at: a.at, seen: 1005 * ms, stamped: true}, b)
	f.arrived(c, stamp-1, now.Add(5*ms)) // the two clocks are read some nanoseconds apart
	_, _, d := f.times()
	assert.Equal(t, arrival{seq: 2, at: a.at, seen: 1005 * ms, stamped: true}, d, "time does not run backwards")
	f.arrived(c, 0, now.Add(6*ms))
	f.arrived(c, 0, now.Add(6*ms))
	_, _, e := f.times()
	assert.EqualValues(t, 4, e.seq, "no stamp is no stamp in common")
}
