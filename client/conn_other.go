//go:build !linux

package client

import (
	"io"
	"net"
)

// kernelStamps says whether this system can stamp arrivals in the kernel.
const kernelStamps = false

// A receiver reads a socket with kernel stamps, which only Linux has.
type receiver struct{}

func holdStamps() io.Closer { return io.NopCloser(nil) }

func newReceiver(net.Conn) *receiver { return nil }

func (*receiver) read([]byte) (int, int64, error) { panic("client: no kernel stamps on this system") }
