package client

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// control builds a control message, padded to the next one.
func control(level, kind int32, data []byte) []byte {
	b := make([]byte, unix.CmsgSpace(len(data)))
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	h.Level, h.Type = level, kind
	h.SetLen(unix.CmsgLen(len(data)))
	copy(b[unix.CmsgLen(0):], data)
	return b
}

// scmTimestamping is the data of SCM_TIMESTAMPING: three timespecs, of which the first is the software's.
func scmTimestamping(sec, nsec int64) []byte {
	ts := [3]unix.Timespec{unix.NsecToTimespec(sec*1e9 + nsec)}
	return append([]byte(nil), unsafe.Slice((*byte)(unsafe.Pointer(&ts)), unsafe.Sizeof(ts))...)
}

func TestStampOf(t *testing.T) {
	stamp := control(unix.SOL_SOCKET, unix.SCM_TIMESTAMPING, scmTimestamping(1_795_446_662, 123_456_789))
	other := control(unix.IPPROTO_TCP, 1, []byte("abc"))
	long := append([]byte(nil), stamp...)
	(*unix.Cmsghdr)(unsafe.Pointer(&long[0])).SetLen(len(long) + 1)
	short := append([]byte(nil), stamp...)
	(*unix.Cmsghdr)(unsafe.Pointer(&short[0])).SetLen(unix.SizeofCmsghdr - 1)
	const want = 1_795_446_662_123_456_789
	tests := []struct {
		name string
		oob  []byte
		want int64
	}{
		{"none", nil, 0},
		{"stamp", stamp, want},
		{"after another message", append(other, stamp...), want},
		{"before another message", append(append([]byte(nil), stamp...), other...), want},
		{"another message", other, 0},
		{"same type, other level", control(unix.SOL_IP, unix.SCM_TIMESTAMPING, scmTimestamping(1, 1)), 0},
		{"header cut", stamp[:unix.SizeofCmsghdr-1], 0},
		{"data cut", stamp[:len(stamp)-1], 0},
		{"less than a timespec", control(unix.SOL_SOCKET, unix.SCM_TIMESTAMPING, make([]byte, 7)), 0},
		{"longer than the buffer", long, 0},
		{"shorter than its header", short, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.EqualValues(t, tt.want, stampOf(tt.oob)) })
	}
}

func FuzzStampOf(f *testing.F) {
	f.Add(control(unix.SOL_SOCKET, unix.SCM_TIMESTAMPING, scmTimestamping(1, 2)))
	f.Add(append(control(unix.IPPROTO_TCP, 1, []byte("abc")), 1, 2, 3))
	f.Fuzz(func(t *testing.T, oob []byte) {
		before := string(oob)
		if stampOf(oob) != 0 {
			kind := binary.NativeEndian.AppendUint32(nil, unix.SCM_TIMESTAMPING)
			assert.Contains(t, string(oob), string(kind), "no message, no stamp")
		}
		assert.Equal(t, before, string(oob))
	})
}

// The receiver fails as the connection that it reads for would.
func TestReceiverErrors(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	open := func() (*conn, *net.TCPConn) {
		nc, err := net.Dial("tcp", ln.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { nc.Close() })
		far, err := ln.Accept()
		require.NoError(t, err)
		t.Cleanup(func() { far.Close() })
		c := &conn{Conn: nc, kernel: newReceiver(nc)}
		require.NotNil(t, c.kernel)
		return c, far.(*net.TCPConn)
	}
	p := make([]byte, 8)

	c, far := open()
	n, err := c.Read(nil)
	assert.Zero(t, n)
	assert.NoError(t, err, "an empty read does not wait")
	require.NoError(t, c.SetReadDeadline(time.Now().Add(-time.Second)))
	_, err = c.Read(p)
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoError(t, c.SetReadDeadline(time.Time{}))
	_, err = far.Write([]byte("abc"))
	require.NoError(t, err)
	n, err = c.Read(p)
	assert.NoError(t, err)
	assert.Equal(t, "abc", string(p[:n]))
	far.Close()
	_, err = c.Read(p)
	assert.Equal(t, io.EOF, err)
	c.Close()
	_, err = c.Read(p)
	assert.ErrorIs(t, err, net.ErrClosed)

	c, far = open()
	require.NoError(t, far.SetLinger(0))
	far.Close()
	_, err = c.Read(p)
	assert.ErrorIs(t, err, syscall.ECONNRESET)
	var op *net.OpError
	assert.ErrorAs(t, err, &op)

	near, _ := net.Pipe()
	assert.Nil(t, newReceiver(near), "a pipe is no socket")
}
