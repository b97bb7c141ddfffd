//go:build !linux

package vllmsim

import "time"

// newSleeper returns a wait on the runtime's timers, and what frees it.
func newSleeper() (sleepUntil func(time.Time), free func() error) {
	return RuntimeSleep, func() error { return nil }
}
