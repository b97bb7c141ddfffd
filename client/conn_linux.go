package client

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernelStamps says whether this system can stamp arrivals in the kernel.
const kernelStamps = true

// A receiver reads a TCP socket by recvmsg, which also returns the kernel's
// receive time of the last byte (SO_TIMESTAMPING, see timestamping.rst of the
// Linux documentation).
type receiver struct {
	raw  syscall.RawConn
	conn net.Conn
	once func(fd uintptr) bool // r.recv, made once: a method value allocates

	// The argument of recv, kept here since unix.Recvmsg would allocate it on
	// each of the two calls that an event takes.
	msg unix.Msghdr
	iov unix.Iovec
	oob [256]byte

	// The results of recv.
	n     int
	stamp int64
	errno syscall.Errno
}

func stampSocket(fd int) error {
	const flags = unix.SOF_TIMESTAMPING_RX_SOFTWARE | unix.SOF_TIMESTAMPING_SOFTWARE
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPING, flags)
}

// holdStamps keeps the kernel stamping until it is closed. The kernel stops
// when the last socket that asked for it is gone, and is slow to start: the
// first packets of a connection that had to wake it have no stamp.
func holdStamps() io.Closer {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return io.NopCloser(nil)
	}
	_ = stampSocket(fd) // newReceiver meets the same error, and says so
	return os.NewFile(uintptr(fd), "stamps")
}

// newReceiver turns stamps on for c. It returns nil if the system refuses.
func newReceiver(c net.Conn) *receiver {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	var serr error
	err = raw.Control(func(fd uintptr) { serr = stampSocket(int(fd)) })
	if err != nil || serr != nil {
		return nil
	}
	r := &receiver{raw: raw, conn: c}
	r.msg.Iov, r.msg.Control = &r.iov, &r.oob[0]
	r.msg.SetIovlen(1)
	r.once = r.recv
	return r
}

// read fills p and returns the stamp of its last byte in nanoseconds of
// wall-clock time, or 0 if the kernel gave none.
func (r *receiver) read(p []byte) (n int, stamp int64, err error) {
	if len(p) == 0 {
		return 0, 0, nil
	}
	r.iov.Base = &p[0]
	r.iov.SetLen(len(p))
	err = r.raw.Read(r.once)
	r.iov.Base = nil
	switch {
	case err != nil: // a deadline, or the connection was closed here
		return 0, 0, err
	case r.errno != 0:
		return 0, 0, &net.OpError{Op: "read", Net: "tcp", Source: r.conn.LocalAddr(), Addr: r.conn.RemoteAddr(),
			Err: os.NewSyscallError("recvmsg", r.errno)}
	case r.n == 0:
		return 0, 0, io.EOF
	}
	return r.n, r.stamp, nil
}

// recv is called by the runtime's poller until it returns true.
func (r *receiver) recv(fd uintptr) bool {
	for {
		r.msg.SetControllen(len(r.oob))
		// Raw, since a call that cannot block need not tell Go's scheduler: 5 % of an event's cost.
		n, _, errno := unix.RawSyscall(unix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(&r.msg)), unix.MSG_DONTWAIT)
		switch errno {
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			return false
		}
		r.n, r.errno, r.stamp = int(n), errno, 0
		if errno == 0 {
			r.stamp = stampOf(r.oob[:r.msg.Controllen])
		}
		return true
	}
}

// stampOf finds the software receive time in control messages, in nanoseconds
// since 1970, or 0.
func stampOf(oob []byte) int64 {
	for len(oob) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&oob[0]))
		size := int(h.Len)
		if size < unix.SizeofCmsghdr || size > len(oob) {
			return 0
		}
		data := oob[unix.CmsgLen(0):size]
		if h.Level == unix.SOL_SOCKET && h.Type == unix.SCM_TIMESTAMPING {
			return timespec(data)
		}
		oob = oob[min(len(oob), unix.CmsgSpace(size-unix.CmsgLen(0))):]
	}
	return 0
}

// timespec reads the first struct timespec of data, whose two fields are as
// wide as the machine's long.
func timespec(data []byte) int64 {
	const long = int(unsafe.Sizeof(unix.Timespec{})) / 2
	if len(data) < 2*long {
		return 0
	}
	if long == 4 {
		return int64(binary.NativeEndian.Uint32(data))*1e9 + int64(binary.NativeEndian.Uint32(data[4:]))
	}
	return int64(binary.NativeEndian.Uint64(data))*1e9 + int64(binary.NativeEndian.Uint64(data[8:]))
}
