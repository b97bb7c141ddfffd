package load

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// margin is how much later than its timer an alarm rings, so that the timer is due by then.
const margin = 5 * time.Microsecond

// An alarm makes Go's timers fire on time. On Linux the runtime sleeps in
// epoll_wait, by whole milliseconds, so that a timer is up to 1 ms late on an
// idle machine. A kernel timer among the polled files ends that sleep when it is
// due, to microseconds; the runtime then finds its own timer due. This costs one
// system call a wait and no spinning, and a clock that is not the kernel's
// (testing/synctest) goes by Go's timer alone.
type alarm struct {
	file *os.File // nil if the kernel gave none: then timers are as late as they are
	fd   int
}

func newAlarm() alarm {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return alarm{}
	}
	return alarm{file: os.NewFile(uintptr(fd), "timerfd"), fd: fd} // NewFile lets the runtime poll it
}

// set lets the alarm ring when d has passed.
func (a alarm) set(d time.Duration) {
	if a.file != nil {
		unix.TimerfdSettime(a.fd, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d + margin))}, nil)
	}
}

func (a alarm) close() {
	if a.file != nil {
		a.file.Close()
	}
}
