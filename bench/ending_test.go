package bench

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/client"
	"vllmbench/internal/results"
)

// soon bounds the time in which a run must end whose server has gone, or that
// was interrupted. It takes some 100 ms; a timeout of the client takes minutes.
const soon = 15 * time.Second

// failures are the reasons of the cells that failed, by name.
func (c *child) failures() map[string]string {
	out := map[string]string{}
	failed := regexp.MustCompile(`(?m)^ *--- FAIL: Benchmark(\S+)\n +\w+\.go:\d+: (.*)$`)
	for _, m := range failed.FindAllStringSubmatch(c.stdout.String(), -1) {
		out[m[1]] = m[2]
	}
	return out
}

// serveAlone starts an embedded server as a process of its own.
func serveAlone(t *testing.T) (url string, server *os.Process) {
	t.Helper()
	path, err := binary()
	require.NoError(t, err)
	cmd := exec.Command(path)
	cmd.Env = append(os.Environ(), childEnv+"=1")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		stdin.Close()
		_, _ = io.Copy(io.Discard, stdout)
		_ = cmd.Wait() // a killed one fails
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	m := listening.FindStringSubmatch(line)
	require.NotNil(t, m, line)
	return m[1], cmd.Process
}

// TestServerDies kills the server while the second cell is measured.
func TestServerDies(t *testing.T) {
	t.Parallel()
	url, server := serveAlone(t)
	dir := filepath.Join(t.TempDir(), "run")
	first := runChild(t, tiny("-url="+url, "-record="+dir, "-test.bench=Latency")...)
	require.Zero(t, first.status(), first.all())
	old := files(t, dir)

	c := startChild(t, tiny("-url="+url, "-record="+dir, "-outputs=2000", "-warmup=0")...)
	c.await("ns/op")
	require.Eventually(t, func() bool { return running(t, url) }, soon, time.Millisecond)
	require.NoError(t, server.Kill())
	killed := time.Now()
	c.end()
	assert.Less(t, time.Since(killed), soon)
	assert.Equal(t, 1, c.status())
	assert.Equal(t, []string{"Latency"}, c.cells())

	why := c.failures()
	t.Logf("exit status %d: %v", c.status(), why)
	require.Len(t, why, 3, c.all())
	assert.Regexp(t, `^void: 1 failed \(stream_error\): .*; the server is gone: no server answers at `+url, why["SeqLen/prompt=10/output=2000"])
	for _, cell := range []string{"Throughput/batch=1", "Throughput/batch=2"} {
		assert.Regexp(t, `^not run: the server is gone: no server answers at `+url+`.*: start it, or name another`, why[cell])
	}
	assert.Equal(t, old, files(t, dir), "the older record was changed")
	assert.Equal(t, []string{"Latency", "SeqLen/prompt=10/output=2000"}, saved(t, dir+".new-*"))
}

// running says whether the server is at work.
func running(t *testing.T, url string) bool {
	page, err := http.Get(url + "/metrics")
	require.NoError(t, err)
	defer page.Body.Close()
	text, err := io.ReadAll(page.Body)
	require.NoError(t, err)
	return regexp.MustCompile(`(?m)^vllm:num_requests_running\S* [1-9]`).Match(text)
}

// TestInterrupt presses Ctrl-C while the second cell is measured.
func TestInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("windows sends no interrupt to one process alone")
	}
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	c := startChild(t, tiny("-record="+dir, "-outputs=2000")...)
	c.await("ns/op")
	require.NoError(t, c.cmd.Process.Signal(os.Interrupt))
	sent := time.Now()
	c.end()
	assert.Less(t, time.Since(sent), soon)
	assert.Equal(t, 1, c.status())
	assert.Equal(t, []string{"Latency"}, c.cells())
	why := c.failures()
	t.Logf("exit status %d: %v", c.status(), why)
	require.Len(t, why, 3, c.all())
	assert.Contains(t, why["SeqLen/prompt=10/output=2000"], "the run was interrupted")
	assert.Equal(t, "not run: the run was interrupted", why["Throughput/batch=1"])
	assert.Equal(t, []string{"Latency"}, saved(t, dir))
}

// TestKilledRun ends a run as kill -9 does: what was finished can be read.
func TestKilledRun(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	c := startChild(t, tiny("-record="+dir, "-outputs=2000")...)
	c.await("ns/op")
	require.NoError(t, c.cmd.Process.Kill())
	c.end()
	assert.NotZero(t, c.status())
	assert.Equal(t, []string{"Latency"}, saved(t, dir))
}

// saved are the cells of a run that did not end well, of which each must have all its requests.
func saved(t *testing.T, pattern string) (cells []string) {
	t.Helper()
	dirs, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.Len(t, dirs, 1, pattern)
	run, err := results.Open(dirs[0])
	require.NoError(t, err)
	defer run.Close()
	assert.False(t, run.Complete)
	for i, row := range run.Rows {
		cells = append(cells, row.Measured.Name)
		if len(row.Measured.Void) == 0 {
			assert.NotEmpty(t, requests(t, run, i))
		}
	}
	return cells
}

// requests are those of row i, all of them.
func requests(t *testing.T, run *results.Run, i int) (out []client.Result) {
	t.Helper()
	for r, err := range run.Requests(i) {
		require.NoError(t, err)
		out = append(out, r)
	}
	assert.Len(t, out, run.Rows[i].Requests.Count)
	return out
}

// files are the contents of dir.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		out[strings.TrimPrefix(name, dir)] = string(text)
	}
	return out
}
