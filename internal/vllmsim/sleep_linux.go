package vllmsim

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// newSleeper returns a wait that ends within about 50 us of its instant, and
// what frees it. The runtime's own timers end up to 1 ms late, since its poller
// sleeps in whole milliseconds; a timer descriptor wakes that poller on time.
func newSleeper() (sleepUntil func(time.Time), free func() error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return RuntimeSleep, func() error { return nil }
	}
	f := os.NewFile(uintptr(fd), "timerfd")
	var expirations [8]byte
	sleepUntil = func(t time.Time) {
		d := time.Until(t)
		if d <= 0 {
			return
		}
		spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
		if unix.TimerfdSettime(fd, 0, &spec, nil) == nil {
			_, err = f.Read(expirations[:])
		}
		if err != nil || time.Until(t) > 0 {
			time.Sleep(time.Until(t))
		}
	}
	return sleepUntil, f.Close
}
