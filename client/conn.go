package client

import (
	"net"
	"sync"
	"time"
)

// A conn remembers when bytes came and went. net/http never reads one
// connection from two goroutines at once, and neither may others.
type conn struct {
	net.Conn
	clock  clock
	kernel *receiver     // nil: user stamps
	opened time.Duration // when dialling began, since the epoch

	mu    sync.Mutex
	owner *flight       // the request on the connection, nil before the first
	first arrival       // the owner's first
	last  arrival       // the owner's latest
	seq   uint64        // reads so far
	wrote time.Duration // just before the latest write
}

// Read notes the arrival of what it returns.
func (c *conn) Read(p []byte) (int, error) {
	var (
		n     int
		stamp int64
		err   error
	)
	if c.kernel != nil {
		n, stamp, err = c.kernel.read(p)
	} else {
		n, err = c.Conn.Read(p)
	}
	if n > 0 {
		c.note(stamp, time.Now())
	}
	return n, err
}

func (c *conn) note(stamp int64, read time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.clock.arrivalOf(stamp, read, c.wrote)
	c.seq++
	a.seq = c.seq
	c.last = a
	if c.first.seq == 0 {
		c.first = a
	}
}

// Write notes when it began.
func (c *conn) Write(p []byte) (int, error) {
	now := c.clock.now()
	c.mu.Lock()
	c.wrote = now
	c.mu.Unlock()
	return c.Conn.Write(p)
}

// take makes f the owner of the arrivals from now on.
func (c *conn) take(f *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owner, c.first, c.last = f, arrival{}, arrival{}
}

// arrivals returns when f's last byte was sent and f's first and latest arrivals.
// ok is false if another request has the connection by now: it may, since
// net/http hands a connection on as soon as the end of a body was read.
func (c *conn) arrivals(f *flight) (sent time.Duration, first, last arrival, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wrote, c.first, c.last, c.owner == f
}
