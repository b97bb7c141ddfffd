package client

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

var (
	errFirstToken = errors.New("timeout before the first token")
	errStall      = errors.New("timeout between events")
)

// A watchdog cancels a request that waits too long. An event costs it one
// atomic store: the timer, when it fires, looks how old the last event is.
type watchdog struct {
	timer   *time.Timer
	began   time.Time
	stall   time.Duration
	cancel  context.CancelCauseFunc
	last    atomic.Int64 // the latest event, nanoseconds since began; 0 before the first token
	stopped atomic.Bool
}

// watch starts a watchdog that allows first until the first token, and then stall between events.
func watch(first, stall time.Duration, cancel context.CancelCauseFunc) *watchdog {
	w := &watchdog{began: time.Now().Add(-1), stall: stall, cancel: cancel} // no event is at 0
	w.timer = time.AfterFunc(first, w.fire)
	return w
}

// event notes an event. Before the first token only a token counts.
func (w *watchdog) event(token bool) {
	if !token && w.last.Load() == 0 {
		return
	}
	if w.last.Swap(int64(time.Since(w.began))) == 0 {
		w.timer.Reset(w.stall)
	}
}

func (w *watchdog) fire() {
	if w.stopped.Load() {
		return
	}
	last := time.Duration(w.last.Load())
	if last == 0 {
		w.cancel(errFirstToken)
		return
	}
	if idle := time.Since(w.began) - last; idle < w.stall {
		w.timer.Reset(w.stall - idle)
		return
	}
	w.cancel(errStall)
}

func (w *watchdog) stop() {
	w.stopped.Store(true)
	w.timer.Stop()
}
