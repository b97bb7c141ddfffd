package vllmsim

import (
	"sync"
	"time"
)

// A door is what the API server does with a request before the engine has it:
// parsing, checks, tokens. It does one after another, as one Python process does.
type door struct {
	each time.Duration
	mu   sync.Mutex
	free time.Time
}

// pass returns when a request that comes now is through.
func (d *door) pass() {
	if d.each == 0 {
		return
	}
	d.mu.Lock()
	if now := time.Now(); d.free.Before(now) {
		d.free = now
	}
	d.free = d.free.Add(d.each)
	through := d.free
	d.mu.Unlock()
	time.Sleep(time.Until(through))
}
