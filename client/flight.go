package client

import (
	"context"
	"crypto/tls"
	"net"
	"net/http/httptrace"
	"sync"
	"time"
)

// A flight is one request on its way. It travels in the request's context,
// since go-openai lets nothing else through to the doer.
type flight struct {
	ctx      context.Context // ends when the request is given up
	req      *Request
	model    string
	attempts int
	reused   bool
	connect  time.Duration
	status   int // of the answer; 0 before its header
	body     *body
	kept     [][]byte // payloads that are read again behind the stream's end

	mu    sync.Mutex
	conn  *conn         // the latest that it was sent on
	sent  time.Duration // just before the latest write of the request
	over  bool          // an answer has come, or none will: what is written then is TLS saying goodbye
	first arrival
	last  arrival
	stamp int64 // of last
}

type flightKey struct{}

// trace makes f the owner of the connection that its request goes out on.
func (f *flight) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			f.attempts++
			f.reused, f.connect = info.Reused, 0
			c := stampedConn(info.Conn)
			if !info.Reused {
				f.connect = c.clock.now() - c.opened
			}
			f.take(c)
		},
	})
}

// stampedConn returns the conn under nc, which may be wrapped in TLS.
func stampedConn(nc net.Conn) *conn {
	if t, ok := nc.(*tls.Conn); ok {
		nc = t.NetConn()
	}
	return nc.(*conn) // the transport dials no other
}

// take makes f the owner of what c sends and receives from now on.
func (f *flight) take(c *conn) {
	f.mu.Lock()
	f.conn, f.sent, f.over, f.first, f.last, f.stamp = c, 0, false, arrival{}, arrival{}, 0
	f.mu.Unlock()
	c.owner.Store(f)
}

// wrote notes a write on c. One on a connection that f has left for another does not count.
func (f *flight) wrote(c *conn, at time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.conn == c && !f.over && f.ctx.Err() == nil {
		f.sent = at
	}
}

// ended notes that reading c failed.
func (f *flight) ended(c *conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.over = f.over || f.conn == c
}

// arrived notes a read on c.
func (f *flight) arrived(c *conn, stamp int64, read time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.conn != c {
		return
	}
	a := c.clock.arrivalOf(stamp, read, f.sent)
	if a.stamped && stamp == f.stamp {
		a.at, a.seq = f.last.at, f.last.seq // the rest of segments that TCP merged
	} else {
		a.at, a.seq = max(a.at, f.last.at), f.last.seq+1
	}
	f.last, f.stamp, f.over = a, stamp, f.sent > 0
	if f.first.seq == 0 {
		f.first = a
	}
}

// keep keeps an event that go-openai has made room of its own for.
func (f *flight) keep(payload []byte) {
	if f.req.ReturnIDs {
		f.kept = append(f.kept, payload)
	}
}

// times returns when f's last byte was sent, and f's first and latest
// arrivals, which have seq 0 if there is none.
func (f *flight) times() (sent time.Duration, first, last arrival) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent, f.first, f.last
}

// stamps says whether f's connection has kernel stamps.
func (f *flight) stamps() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.conn != nil && f.conn.kernel != nil
}
