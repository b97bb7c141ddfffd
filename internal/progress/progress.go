// Package progress shows on the terminal how far a run of benchmarks is.
//
// It is one line on the terminal device itself, never on standard output,
// which belongs to the results; it goes away before a result is printed, and
// comes back a moment after, when that has made its way through go test. What
// it shows is counted once a request, so that it costs the measurement nothing.
package progress

import (
	"io"
	"sync"
	"time"
)

// period is the time between two drawings. The first one of a cell comes as
// late, since the result before it may still be on its way through a pipe.
const period = 250 * time.Millisecond

// A Terminal is where the line is drawn.
type Terminal interface {
	io.WriteCloser

	// Width is its columns; 0: nothing must be written to it now.
	Width() int
}

// A Plan is what will run.
type Plan struct {
	Cells  []string      // names of one round's cells, in their order
	Rounds int           // 0 means 1
	Time   time.Duration // that the window of a cell takes; 0: not known
	Ops    int           // operations of a window, where Time is not known
}

// A Line is the status line of a run. The nil Line shows nothing. Its methods
// may be called by any goroutine.
type Line struct {
	terminal Terminal
	quit     chan struct{}
	done     chan struct{} // closed when the drawing has ended
	stop     sync.Once

	out   sync.Mutex // held while the terminal is written to; taken before mu
	drawn string     // what it shows

	mu    sync.Mutex // held for the moment of a count
	state state
}

// New begins to draw on t, which the Line closes in the end.
func New(t Terminal, p Plan) *Line {
	l := &Line{terminal: t, quit: make(chan struct{}), done: make(chan struct{}), state: newState(p)}
	go l.refresh()
	return l
}

func (l *Line) refresh() {
	defer close(l.done)
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		select {
		case <-l.quit:
			return
		case <-tick.C:
			l.draw()
		}
	}
}

// draw brings the line up to date.
func (l *Line) draw() {
	l.out.Lock()
	defer l.out.Unlock()
	l.mu.Lock()
	v, ok := l.state.view(time.Now())
	l.mu.Unlock()
	if !ok {
		return
	}
	width := l.terminal.Width()
	if width == 0 {
		return
	}
	text := v.line(width - 1) // a full line would move the cursor to the next one
	if text == l.drawn {
		return
	}
	// The cursor rests at the line's start, and the rest of the screen is
	// erased: so no part is left of a line that a narrower window has folded.
	if _, err := io.WriteString(l.terminal, "\r"+text+"\x1b[J\r"); err == nil {
		l.drawn = text
	}
}

// clear erases the line. The caller holds out.
func (l *Line) clear() {
	if l.drawn != "" {
		_, _ = io.WriteString(l.terminal, "\r\x1b[J") // a terminal that is gone needs none
		l.drawn = ""
	}
}

// Begin says that a cell begins, with what prepares it.
func (l *Line) Begin(cell string) {
	l.count(func(s *state) { s.begin(cell, time.Now()) })
}

// Window says that the cell's timed window begins.
func (l *Line) Window() {
	l.count(func(s *state) { s.window(time.Now()) })
}

// Op says that an operation of the window has ended.
func (l *Line) Op() {
	l.count(func(s *state) { s.ops++ })
}

// Drain says that the window has ended.
func (l *Line) Drain() {
	l.count(func(s *state) { s.phase = draining })
}

// Sent says that a request is sent.
func (l *Line) Sent() {
	l.count(func(s *state) { s.sent(time.Now()) })
}

// Ended says that a request has ended, with how many output tokens and which
// TTFT, 0 if it had no token.
func (l *Line) Ended(tokens int, ttft time.Duration) {
	l.count(func(s *state) { s.ended(tokens, ttft, time.Now()) })
}

// count changes the state, unless the line is nil.
func (l *Line) count(change func(*state)) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.state)
}

// End says that the cell has ended, and why it is void ("" if it is not). When
// it returns, the line is erased.
func (l *Line) End(void string) {
	if l == nil {
		return
	}
	l.out.Lock()
	defer l.out.Unlock()
	l.count(func(s *state) { s.end(void, time.Now()) })
	l.clear()
}

// Close erases the line and closes the terminal. A second call does nothing.
func (l *Line) Close() (err error) {
	if l == nil {
		return nil
	}
	l.stop.Do(func() {
		close(l.quit)
		<-l.done
		l.out.Lock()
		defer l.out.Unlock()
		l.clear()
		err = l.terminal.Close()
	})
	return err
}
