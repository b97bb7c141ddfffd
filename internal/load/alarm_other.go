//go:build !linux

package load

import "time"

// An alarm does nothing here: the runtime's own timers do not sleep by whole milliseconds as on Linux.
type alarm struct{}

func newAlarm() alarm { return alarm{} }

func (alarm) set(time.Duration) {}

func (alarm) close() {}
