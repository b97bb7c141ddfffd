package bench

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// program builds cmd/vllmbench once.
var program = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch(), "vllmbench.exe")
	out, err := exec.Command("go", "build", "-o", path, "../cmd/vllmbench").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building vllmbench: %w\n%s", err, out)
	}
	return path, nil
})

// withKey runs a program with the key in its environment, for some time at
// most, and then interrupts it. It returns what it said.
func withKey(t *testing.T, within time.Duration, path string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), "VLLM_BASE_URL=", "VLLM_API_KEY="+hostileKey)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	_ = cmd.Run() // the exit status is looked at by the caller
	return out.String(), said.String(), cmd.ProcessState.ExitCode()
}

// measureHostile records a run of a hostile server, and saves its text beside.
func measureHostile(t *testing.T, dir, name, url string) (status int) {
	t.Helper()
	path, err := binary()
	require.NoError(t, err)
	args := tiny("-test.run=^$", "-test.bench=Latency|Throughput", "-test.benchtime=4x", "-test.count=5", "-warmup=0", "-batches=1", "-progress=off",
		"-gpu=dcgm="+url+"/dcgm/metrics", "-url="+url, "-record="+filepath.Join(dir, name))
	stdout, stderr, status := withKey(t, time.Minute, path, args...)
	harmless(t, name+": standard output", stdout)
	harmless(t, name+": standard error", stderr+" ")
	t.Logf("%s: exit status %d\n%.3000s\n%.500s", name, status, stdout, stderr)
	require.NoError(t, os.WriteFile(filepath.Join(dir, name+".txt"), []byte(stdout), 0o666))
	return status
}

// TestHostileServer takes a server that lies, swears and repeats the key
// through all that prints and saves what it says.
func TestHostileServer(t *testing.T) {
	t.Parallel()
	vllmbench, err := program()
	require.NoError(t, err)
	dir := t.TempDir()
	url := hostile(t, false)
	require.Zero(t, measureHostile(t, dir, "good", url))
	require.Equal(t, 1, measureHostile(t, dir, "bad", hostile(t, true)))
	good, bad, into := filepath.Join(dir, "good"), filepath.Join(dir, "bad"), filepath.Join(dir, "out")

	said := map[string]string{}
	run := func(status int, within time.Duration, args ...string) {
		stdout, stderr, got := withKey(t, within, vllmbench, args...)
		what := strings.ReplaceAll(strings.Join(args, " "), dir+"/", "")
		harmless(t, what, stdout+stderr)
		if strings.Contains(what, "-format=md") {
			inertMarkup(t, what, stdout)
			wholeTables(t, what, stdout)
		}
		assert.Equal(t, status, got, "%s: %s", what, stderr)
		said[args[0]] += stdout
	}
	run(0, time.Minute, "report", "-o", into, good, bad)
	run(0, time.Minute, "report", "-o", into+"-text", good+".txt", bad+".txt")
	run(0, time.Minute, "export", "-o", into, good, bad)
	for _, format := range []string{"text", "md", "json"} {
		run(0, time.Minute, "compare", "-format="+format, good, good+".txt")
		run(0, time.Minute, "compare", "-force", "-format="+format, good+".txt", bad)
	}
	assert.Contains(t, said["compare"], "void")
	run(0, 1500*time.Millisecond, "monitor", "-plain", "-interval=200ms", "-url="+url, "-gpu=dcgm="+url+"/dcgm/metrics", "-log="+filepath.Join(dir, "timeline.csv"))
	assert.Contains(t, said["monitor"], "# watched for ")
	allFiles(t, dir)
	text, err := os.ReadFile(filepath.Join(into, "report.md"))
	require.NoError(t, err)
	wholeTables(t, "report.md", string(text))
}

// allFiles looks into every file that was written.
func allFiles(t *testing.T, dir string) {
	t.Helper()
	kinds := map[string]int{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		what, kind := strings.TrimPrefix(path, dir), filepath.Ext(path)
		kinds[kind]++
		switch kind {
		case ".html", ".md", ".svg":
			inertMarkup(t, what, string(text))
		case ".png", ".gz": // no text; the requests' texts are in the rows too
			assert.False(t, bytes.Contains(text, []byte(hostileKey)), what)
		case ".json":
			assert.True(t, json.Valid(text), what)
			harmless(t, what, string(text))
		case ".csv":
			harmless(t, what, string(text))
			records, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
			assert.NoError(t, err, what)
			for _, record := range records {
				for _, field := range record {
					assert.NotRegexp(t, `^[=+@\t\r]`, field, what)
				}
			}
		default:
			harmless(t, what, string(text))
		}
		return nil
	}))
	for _, kind := range []string{".html", ".md", ".svg", ".png", ".json", ".jsonl", ".gz", ".csv", ".txt"} {
		assert.Positive(t, kinds[kind], "no file %s was looked at: %v", kind, kinds)
	}
}

// escaped is a character that a backslash takes its meaning from, a backslash too.
var escaped = regexp.MustCompile(`\\.`)

var separator = regexp.MustCompile(`^\|([ :-]+\|)+$`)

// wholeTables asserts that every row of a Markdown table has the columns of its head.
func wholeTables(t *testing.T, what, text string) {
	t.Helper()
	columns, tables, rows := 0, 0, 0
	for line := range strings.Lines(text) {
		bars := strings.Count(escaped.ReplaceAllString(line, ""), "|")
		switch {
		case separator.MatchString(strings.TrimSpace(line)):
			columns = bars
			tables++
		case !strings.HasPrefix(line, "|"):
			columns = 0
		case columns > 0:
			rows++
			assert.Equal(t, columns, bars, line)
		}
	}
	t.Logf("%s: %d tables with %d rows", what, tables, rows)
	assert.Positive(t, rows)
}
