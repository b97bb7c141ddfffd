package vllmsim

import "time"

// runtimeSleep waits on the runtime's timers, and so on a test's fake clock.
func runtimeSleep(t time.Time) { time.Sleep(time.Until(t)) }
