//go:build unix

package progress

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// patience bounds a write: a terminal that was stopped (Ctrl-S) stops no benchmark.
const patience = 100 * time.Millisecond

// A tty is the terminal of this process's session.
type tty struct{ *os.File }

// OpenTerminal opens the terminal that this process was started from. It fails
// if there is none, if it cannot move its cursor (TERM), or if another job has it.
func OpenTerminal() (Terminal, error) {
	if term := os.Getenv("TERM"); term == "" || term == "dumb" {
		return nil, fmt.Errorf("the terminal cannot move its cursor (TERM=%s)", term)
	}
	f, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("there is no terminal: %w", err)
	}
	t := tty{f}
	if t.Width() == 0 {
		f.Close()
		return nil, errors.New("the terminal belongs to another job, or does not tell its width")
	}
	return t, nil
}

// Width is 0 while another process group has the terminal: a write might stop this one.
func (t tty) Width() (columns int) {
	raw, err := t.SyscallConn() // Fd would make writes block
	if err != nil {
		return 0
	}
	err = raw.Control(func(fd uintptr) {
		group, err := unix.IoctlGetInt(int(fd), unix.TIOCGPGRP)
		if err != nil || group != unix.Getpgrp() {
			return
		}
		if size, err := unix.IoctlGetWinsize(int(fd), unix.TIOCGWINSZ); err == nil {
			columns = int(size.Col)
		}
	})
	if err != nil {
		return 0
	}
	return columns
}

func (t tty) Write(p []byte) (int, error) {
	_ = t.SetWriteDeadline(time.Now().Add(patience)) // where the system has none, writes block
	return t.File.Write(p)
}
