package ab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A Program is the benchmarks as a test binary.
type Program struct {
	Path string // of the binary
	Dir  string // of its package, in which it runs
}

// benchmarks is the package that is measured with.
const benchmarks = "vllmbench/bench"

// Build compiles the benchmarks of the module that the working directory is in
// into the folder, as go test does. It needs Go.
func Build(ctx context.Context, folder string) (Program, error) {
	dir, err := goTool(ctx, "list", "-f", "{{.Dir}}", benchmarks)
	if errors.Is(err, exec.ErrNotFound) {
		return Program{}, errors.New("go was not found, which builds the benchmarks: install it, or add it to PATH")
	}
	if err != nil {
		return Program{}, fmt.Errorf("the benchmarks were not found from here: run this command inside a clone of vllmbench (%w)", err)
	}
	p := Program{Path: filepath.Join(folder, "bench.test.exe"), Dir: dir} // Windows wants the suffix
	if _, err := goTool(ctx, "test", "-c", "-o", p.Path, benchmarks); err != nil {
		return Program{}, fmt.Errorf("the benchmarks do not build: see `go vet ./bench` (%w)", err)
	}
	return p, nil
}

// goTool runs go, and returns what it said on standard output, or the last
// line of what it said on standard error.
func goTool(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if said := lastLine(stderr.String()); said != "" {
			return "", fmt.Errorf("go %s: %s", args[0], said)
		}
		return "", fmt.Errorf("go %s: %w", args[0], err)
	}
	return strings.TrimSpace(stdout.String()), nil
}

// patience is how long a program has, once it was told to stop, before it is killed.
const patience = 15 * time.Second

// run runs the benchmarks once, without a shell. When ctx ends they are
// interrupted, so that they close what they hold. An error means that they did
// not start; how they ended is in the output.
func (p Program) run(ctx context.Context, args ...string) (*output, error) {
	cmd := exec.CommandContext(ctx, p.Path, args...)
	cmd.Dir = p.Dir
	cmd.Cancel = func() error {
		if err := cmd.Process.Signal(os.Interrupt); err == nil || errors.Is(err, os.ErrProcessDone) {
			return err
		}
		return cmd.Process.Kill() // Windows has no such signal
	}
	cmd.WaitDelay = patience
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if cmd.ProcessState == nil {
		return nil, fmt.Errorf("the benchmarks do not start: %w", err)
	}
	out := parse(stdout.String())
	out.exit, out.said = cmd.ProcessState.ExitCode(), lastLine(stderr.String())
	return out, nil
}

// lastLine returns the last line of text that holds anything.
func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return strings.TrimSpace(text[strings.LastIndexByte(text, '\n')+1:])
}
