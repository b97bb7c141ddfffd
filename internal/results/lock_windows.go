package results

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

func tryLock(f *os.File) (busy bool, err error) {
	// A locked region cannot be read by others, so it lies beyond the process id.
	at := &windows.Overlapped{OffsetHigh: 1}
	err = windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return true, nil
	}
	return false, err
}

// release removes the lock file after the unlocking, since Windows removes no
// open file. If the next holder has it open by then, it stays.
func release(f *os.File) error {
	err := f.Close()
	if removed := os.Remove(f.Name()); !errors.Is(removed, windows.ERROR_SHARING_VIOLATION) {
		err = errors.Join(err, removed)
	}
	return err
}

// syncDir does nothing: Windows syncs no folders.
func syncDir(string) error { return nil }
