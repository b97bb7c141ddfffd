//go:build unix

package bench

import (
	"fmt"
	"syscall"
)

// openFiles raises the limit of open files to n, or says how to.
func openFiles(n int) error {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil || uint64(l.Cur) >= uint64(n) {
		return nil // Go has raised the soft limit to the hard one already
	}
	return fmt.Errorf("%d requests in flight need %d open files, but the limit is %d: raise it with ulimit -n %d", (n-64)/2, n, l.Cur, n)
}
