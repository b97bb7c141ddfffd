package progress

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
)

// A fake is a terminal that keeps what is written to it.
type fake struct {
	mu     sync.Mutex
	wrote  []string
	width  int
	stuck  time.Duration // that a write takes
	closed bool
}

func (f *fake) Write(p []byte) (int, error) {
	f.mu.Lock()
	stuck := f.stuck
	f.mu.Unlock()
	time.Sleep(stuck)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return 0, errors.New("closed")
	}
	f.wrote = append(f.wrote, string(p))
	return len(p), nil
}

func (f *fake) Width() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.width
}

// be makes the terminal a slow one, or of another width.
func (f *fake) be(width int, stuck time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.width, f.stuck = width, stuck
}

// writes is what was written so far.
func (f *fake) writes() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.wrote)
}

// last is what was written last, "" if nothing was.
func (f *fake) last() string {
	if all := f.writes(); len(all) > 0 {
		return all[len(all)-1]
	}
	return ""
}

func (f *fake) Close() error {
	f.closed = true
	return nil
}

// shows is the text on the terminal, "" if there is none.
func (f *fake) shows() string {
	return strings.TrimSuffix(strings.TrimPrefix(f.last(), "\r"), "\x1b[J\r")
}
