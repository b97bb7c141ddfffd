//go:build unix

package ab

import (
	"context"
	"os/exec"
	"syscall"
)

// shell returns a command for the shell. It is a process group of its own: who
// presses ctrl-c while a leg runs must not stop the server that it started.
func shell(ctx context.Context, line string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", line)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	return cmd
}
