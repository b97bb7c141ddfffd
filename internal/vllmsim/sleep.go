package vllmsim

import "time"

// RuntimeSleep waits on the runtime's timers, which a test's fake clock drives.
func RuntimeSleep(t time.Time) { time.Sleep(time.Until(t)) }
