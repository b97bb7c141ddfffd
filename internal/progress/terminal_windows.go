package progress

import (
	"fmt"
	"os"

	"golang.org/x/sys/windows"
	"golang.org/x/term"
)

// A console is the window of this process.
type console struct {
	*os.File
	mode uint32 // before it was opened
}

// OpenTerminal opens the console that this process was started from. It fails
// if there is none, or if it cannot move its cursor.
func OpenTerminal() (Terminal, error) {
	f, err := os.OpenFile("CONOUT$", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("there is no console: %w", err)
	}
	c := console{File: f}
	h := windows.Handle(f.Fd())
	if err := windows.GetConsoleMode(h, &c.mode); err != nil {
		f.Close()
		return nil, fmt.Errorf("there is no console: %w", err)
	}
	if err := windows.SetConsoleMode(h, c.mode|windows.ENABLE_PROCESSED_OUTPUT|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING); err != nil {
		f.Close()
		return nil, fmt.Errorf("the console cannot move its cursor: %w", err)
	}
	return c, nil
}

func (c console) Width() int {
	columns, _, err := term.GetSize(int(c.Fd()))
	if err != nil {
		return 0
	}
	return columns
}

// Close leaves the console as it was.
func (c console) Close() error {
	_ = windows.SetConsoleMode(windows.Handle(c.Fd()), c.mode)
	return c.File.Close()
}
