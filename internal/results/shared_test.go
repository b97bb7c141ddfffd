package results

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A recorder is a process that records runs into a folder, one after another.
type recorder struct {
	cmd    *exec.Cmd
	out    *bufio.Reader
	stderr bytes.Buffer
}

func startRecorder(t *testing.T, dir string) *recorder {
	t.Helper()
	r := &recorder{cmd: exec.Command(os.Args[0])}
	r.cmd.Env = append(os.Environ(), "RESULTS_TEST_WRITER="+dir)
	r.cmd.Stderr = &r.stderr
	out, err := r.cmd.StdoutPipe()
	require.NoError(t, err)
	r.out = bufio.NewReader(out)
	require.NoError(t, r.cmd.Start())
	t.Cleanup(func() { _ = r.cmd.Process.Kill() })
	return r
}

// TestFolderSharedByProcesses: of several that record into one folder at once,
// one does and the others are refused; when it is killed, the next one may.
func TestFolderSharedByProcesses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "baseline")
	record(t, dir, "0", 2)
	all := make([]*recorder, 4)
	for i := range all {
		all[i] = startRecorder(t, dir)
	}
	// The lock is free for a moment between two runs of one process, so the one
	// that is left over need not be the first, and may be none.
	refused := 0
	for _, r := range all[1:] {
		if _, err := r.out.ReadString('\n'); err == nil {
			continue
		}
		require.Error(t, r.cmd.Wait())
		assert.Regexp(t, fmt.Sprintf(`^cannot record into %s: process (\d+|unknown) is recording into it: wait for its end or name another folder\n$`, dir), r.stderr.String())
		refused++
	}
	assert.Positive(t, refused)
	for _, r := range all {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
		if says := r.stderr.String(); says != "" {
			assert.Equal(t, 1, strings.Count(says, "\n"), says)
			assert.Contains(t, says, "is recording into it")
		}
	}
	run, err := Open(dir)
	require.NoError(t, err)
	assert.True(t, run.Complete, run.Warnings)
	check(t, run)
	record(t, dir, "after", 1)
	assert.Equal(t, []string{"baseline"}, names(t, filepath.Dir(dir)))
}
