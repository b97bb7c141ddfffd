package results

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// acquire takes the lock file at path for this process. The system frees it
// when the process ends, however it ends; the file alone locks nothing.
func acquire(path string) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o666)
		if err != nil {
			return nil, err
		}
		busy, err := tryLock(f)
		if err != nil || busy {
			return nil, errors.Join(refusal(f, busy, err), f.Close())
		}
		same, err := isAt(f, path)
		if err == nil && same {
			err = sign(f)
		}
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		if same {
			return f, nil
		}
		// The holder before us removed the file between our open and our lock.
		f.Close()
	}
}

// refusal says why the lock in f was not had.
func refusal(f *os.File, busy bool, err error) error {
	if !busy {
		return fmt.Errorf("locking %s: %w", f.Name(), err)
	}
	pid, err := io.ReadAll(io.LimitReader(f, 20))
	if err != nil || len(pid) == 0 {
		pid = []byte("unknown")
	}
	return fmt.Errorf("process %s is recording into it: wait for its end or name another folder", strings.TrimSpace(string(pid)))
}

// isAt says whether path still names the file f.
func isAt(f *os.File, path string) (bool, error) {
	ours, err := f.Stat()
	if err != nil {
		return false, err
	}
	there, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return os.SameFile(ours, there), nil
}

// sign writes this process's id into the lock file, for whom it refuses.
func sign(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := fmt.Fprintln(f, os.Getpid())
	return err
}
