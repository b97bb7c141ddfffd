package client

import (
	"time"

	"golang.org/x/sys/windows"
)

// CPUTime is the CPU time that this process has used, or 0 if the system does not tell.
func CPUTime() time.Duration {
	var created, exited, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(windows.CurrentProcess(), &created, &exited, &kernel, &user); err != nil {
		return 0
	}
	ticks := func(f windows.Filetime) time.Duration { // of 100 ns
		return 100 * time.Duration(int64(f.HighDateTime)<<32|int64(f.LowDateTime))
	}
	return ticks(kernel) + ticks(user)
}
