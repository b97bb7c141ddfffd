package client

import "time"

// beat is the period of the heartbeat. It is short against the intervals that are judged by it.
const beat = 2 * time.Millisecond

// Heartbeat begins to note how late timers fire, and so how late a goroutine
// gets to what has arrived. stop ends it and returns all that was noted. It
// tells of a client's own lag where no kernel stamps do.
func Heartbeat() (stop func() []time.Duration) {
	quit, done := make(chan struct{}), make(chan []time.Duration)
	go func() {
		var late []time.Duration
		timer := time.NewTimer(beat)
		defer timer.Stop()
		for due := time.Now().Add(beat); ; due = time.Now().Add(beat) {
			timer.Reset(time.Until(due))
			select {
			case <-quit:
				done <- late
				return
			case <-timer.C:
				late = append(late, time.Since(due))
			}
		}
	}()
	return func() []time.Duration {
		close(quit)
		return <-done
	}
}
