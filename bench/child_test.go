package bench

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/perf/benchfmt"

	"vllmbench/client"
	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// busyClient voids no row for how busy this machine is, where a test is not about that.
const busyClient = "-limits=turnaround=1e6,phase=1e6,cpu=1e6"

// tiny are arguments that make four cells, each of a fraction of a second on
// the embedded server. Rules that a busy machine breaks are off.
func tiny(more ...string) []string {
	return append([]string{"-prompt=10", "-output=8", "-batches=1,2", "-prompts=10", "-outputs=8", busyClient}, more...)
}

// tinyCells are the names of those cells, as they are on the lines.
var tinyCells = []string{"Latency", "SeqLen/prompt=10/output=8", "Throughput/batch=1", "Throughput/batch=2"}

// A child is this package's test binary as a user runs it.
type child struct {
	t      *testing.T
	cmd    *exec.Cmd
	lines  *bufio.Reader // of standard output
	stdout strings.Builder
	stderr bytes.Buffer
}

// startChild starts the binary with -bench=., one operation a cell, no GPU, whose idle power takes a second, and nothing on the terminal; args may say otherwise.
func startChild(t *testing.T, args ...string) *child {
	t.Helper()
	path, err := binary()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	t.Cleanup(cancel)
	c := &child{t: t, cmd: exec.CommandContext(ctx, path, append([]string{"-test.run=^$", "-test.bench=.", "-test.benchtime=1x", "-gpu=none", "-progress=off"}, args...)...)}
	c.cmd.Env = append(os.Environ(), "VLLM_BASE_URL=", "VLLM_API_KEY=")
	c.cmd.Stderr = &c.stderr
	out, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	c.lines = bufio.NewReader(out)
	require.NoError(t, c.cmd.Start())
	return c
}

// runChild runs the binary to its end.
func runChild(t *testing.T, args ...string) *child {
	t.Helper()
	c := startChild(t, args...)
	c.end()
	return c
}

// recordChild runs the binary with a record, to its end, and returns the rows and the requests of each.
func recordChild(t *testing.T, args ...string) (c *child, rows []measure.Row, reqs [][]client.Result) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	c = runChild(t, append(args, "-record="+dir)...)
	run, err := results.Open(dir)
	require.NoError(t, err, c.all())
	defer run.Close()
	for i, r := range run.Rows {
		rows, reqs = append(rows, r.Measured), append(reqs, requests(t, run, i))
	}
	return c, rows, reqs
}

// await reads standard output up to a line that holds text.
func (c *child) await(text string) {
	c.t.Helper()
	for {
		line, err := c.lines.ReadString('\n')
		c.stdout.WriteString(line)
		if strings.Contains(line, text) {
			return
		}
		if err != nil {
			require.NoError(c.t, err, "no line with %q in:\n%s", text, c.stdout.String())
		}
	}
}

// end reads what is left and waits for the exit.
func (c *child) end() {
	c.t.Helper()
	rest, err := io.ReadAll(c.lines)
	require.NoError(c.t, err)
	c.stdout.Write(rest)
	_ = c.cmd.Wait() // the exit status is looked at by status
}

func (c *child) status() int { return c.cmd.ProcessState.ExitCode() }

// all is standard output, then standard error.
func (c *child) all() string { return c.stdout.String() + c.stderr.String() }

// results parses the output as benchstat does. A line that it cannot read fails the test.
func (c *child) results() []*benchfmt.Result {
	c.t.Helper()
	var out []*benchfmt.Result
	r := benchfmt.NewReader(strings.NewReader(c.stdout.String()), "stdout")
	for r.Scan() {
		switch rec := r.Result().(type) {
		case *benchfmt.Result:
			out = append(out, rec.Clone())
		case *benchfmt.SyntaxError:
			c.t.Errorf("%v in:\n%s", rec, c.stdout.String())
		}
	}
	require.NoError(c.t, r.Err())
	return out
}

// cells are the names on the lines that have a value of tok/s, without GOMAXPROCS.
func (c *child) cells() []string {
	c.t.Helper()
	var out []string
	for _, r := range c.results() {
		if _, ok := r.Value("tok/s"); ok {
			name, _, _ := strings.Cut(r.Name.String(), "-")
			out = append(out, name)
		}
	}
	return out
}

// comments are the lines of standard output that begin with "# " and prefix, without both.
func (c *child) comments(prefix string) []string {
	var out []string
	for line := range strings.Lines(c.stdout.String()) {
		if rest, ok := strings.CutPrefix(line, "# "+prefix); ok {
			out = append(out, strings.TrimSpace(rest))
		}
	}
	return out
}

// binary is a build of this package that measures: the running one, or, since
// benchmarks refuse to run under the race detector, one without it.
var binary = sync.OnceValues(func() (string, error) {
	if !raceEnabled {
		return os.Executable()
	}
	path := filepath.Join(scratch(), "bench.test.exe")
	out, err := exec.Command("go", "test", "-c", "-race=false", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building the benchmarks without the race detector: %w\n%s", err, out)
	}
	return path, nil
})

// scratch is a folder for what all tests of this process share.
func scratch() string { return filepath.Join(os.TempDir(), fmt.Sprintf("vllmbench-%d", os.Getpid())) }

// tests runs the tests and removes what they share. They mostly wait, for
// windows that last their time, so more of them go side by side than there are processors.
func tests(m *testing.M) int {
	if !given("test.parallel") {
		_ = flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0))) // a number is valid
	}
	defer os.RemoveAll(scratch())
	return m.Run()
}
