package load

import "time"

// A waiter waits for absolute instants.
type waiter struct {
	timer *time.Timer
	alarm alarm
}

func newWaiter() *waiter {
	w := &waiter{timer: time.NewTimer(time.Hour), alarm: newAlarm()}
	w.timer.Stop()
	return w
}

// until waits for due. It returns false as soon as quit or done is closed.
func (w *waiter) until(due time.Time, quit, done <-chan struct{}) bool {
	d := time.Until(due)
	if d <= 0 {
		return true
	}
	w.timer.Reset(d)
	w.alarm.set(d)
	select {
	case <-w.timer.C:
		return true
	case <-quit:
		return false
	case <-done:
		return false
	}
}

func (w *waiter) close() {
	w.timer.Stop()
	w.alarm.close()
}
