//go:build unix

package vllmbench_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fakeGo stands for go: it notes its arguments, prints a run's text as go test does, and may stop in its midst.
const fakeGo = `#!/bin/bash
echo "$@" >>"$FAKE/args"
[[ $1 == test ]] || { [[ $FAKE_DOES != export-fails ]]; exit; }
echo "model: m"
echo "BenchmarkLatency 1 100 ns/op"
case $FAKE_DOES in
stops) touch "$FAKE/stopped"; sleep 60 ;;
fails) exit 1 ;;
esac
`

// makeRun prepares "make run NAME=week3" in a folder where that name has a text already.
func makeRun(t *testing.T, does string) (cmd *exec.Cmd, dir string) {
	t.Helper()
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("make is not installed")
	}
	dir = t.TempDir()
	bin := filepath.Join(dir, "bin")
	for _, folder := range []string{bin, filepath.Join(dir, "results")} {
		require.NoError(t, os.Mkdir(folder, 0o777))
	}
	makefile, err := os.ReadFile("Makefile")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Makefile"), makefile, 0o666))
	require.NoError(t, os.WriteFile(filepath.Join(bin, "go"), []byte(fakeGo), 0o777))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "results", "week3.txt"), []byte("older\n"), 0o666))
	cmd = exec.Command("make", "run", "NAME=week3", "URL=http://h:1")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "FAKE="+dir, "FAKE_DOES="+does, "VLLM_API_KEY=sk-secret")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd, dir
}

// TestMakeRun: the text takes its name when the run is whole, and only then; the key is in no argument.
func TestMakeRun(t *testing.T) {
	const older, newer = "older\n", "model: m\nBenchmarkLatency 1 100 ns/op\n"
	for _, tt := range []struct {
		does, text string
		fails      bool
	}{
		{"well", newer, false},
		{"fails", older, true},
		{"export-fails", newer, true}, // the text does not depend on what is derived
	} {
		t.Run(tt.does, func(t *testing.T) {
			cmd, dir := makeRun(t, tt.does)
			out, err := cmd.CombinedOutput()
			assert.Equal(t, tt.fails, err != nil, "%s", out)
			assert.Equal(t, tt.text, read(t, dir, "results/week3.txt"))
			assert.Len(t, list(t, dir), 1, "nothing unfinished is left")
			assert.NotContains(t, string(out)+read(t, dir, "args"), "sk-secret")
		})
	}
}

// TestMakeRunKilled kills make and all that it runs in the midst of a run.
func TestMakeRunKilled(t *testing.T) {
	cmd, dir := makeRun(t, "stops")
	require.NoError(t, cmd.Start())
	stopped := func() bool { _, err := os.Stat(filepath.Join(dir, "stopped")); return err == nil }
	require.Eventually(t, stopped, 30*time.Second, time.Millisecond)
	require.NoError(t, syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL))
	require.Error(t, cmd.Wait())
	assert.Equal(t, "older\n", read(t, dir, "results/week3.txt"))
	for _, name := range list(t, dir) {
		assert.True(t, name == "week3.txt" || strings.HasPrefix(name, "week3.txt.new-"), name)
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	return string(text)
}

func list(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "results"))
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
