package client

import (
	"net"
	"sync/atomic"
	"time"
)

// A conn tells the request that owns it when bytes came and went. What it
// tells stays with that request: net/http hands a connection on as soon as the end of an answer was
// read, while the request before may have events of its own left to look at.
type conn struct {
	net.Conn
	clock  clock
	kernel *receiver     // nil: user stamps
	opened time.Duration // when dialling began, since the epoch
	owner  atomic.Pointer[flight]
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
	read := time.Now()
	if f := c.owner.Load(); f != nil && n > 0 {
		f.arrived(c, stamp, read)
	} else if f != nil && err != nil {
		f.ended(c)
	}
	return n, err
}

// Write notes when it began.
func (c *conn) Write(p []byte) (int, error) {
	if f := c.owner.Load(); f != nil {
		f.wrote(c, c.clock.now())
	}
	return c.Conn.Write(p)
}
