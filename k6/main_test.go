package k6

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.k6.io/k6/cmd"

	"vllmbench/client"
	"vllmbench/internal/results"
	"vllmbench/internal/vllmsim"
)

// TestMain lets the test binary be k6, so that tests run what users do.
func TestMain(m *testing.M) {
	if os.Getenv("VLLMBENCH_TEST_K6") != "" {
		cmd.Execute()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// simulate serves the embedded server until the test's end.
func simulate(t *testing.T, c vllmsim.Config) (url string) {
	t.Helper()
	s, err := vllmsim.New(c)
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return "http://" + l.Addr().String()
}

// command is k6 run with what tests have in common.
func command(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0], append([]string{"run", "--address", "", "--quiet", "--no-color"}, args...)...)
	c.Env = append(os.Environ(), "VLLMBENCH_TEST_K6=1", "K6_NO_USAGE_REPORT=true", "K6_AUTO_EXTENSION_RESOLUTION=false", "VLLM_BASE_URL=", "HOME="+t.TempDir())
	c.Env = append(c.Env, env...)
	return c
}

// k6 runs k6 to its end, and returns all that it prints and its exit status.
func k6(t *testing.T, env []string, args ...string) (printed string, code int) {
	t.Helper()
	c := command(t, env, args...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Run(); err != nil {
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit, out.String())
		code = exit.ExitCode()
	}
	return out.String(), code
}

// script writes one that a test runs.
func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script.js")
	require.NoError(t, os.WriteFile(path, []byte("import vllmbench from 'k6/x/vllmbench';\n"+text), 0o666))
	return path
}

// summary is what --summary-export writes: metrics by name, and submetrics by name and tags.
func summary(t *testing.T, path string) map[string]map[string]any {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var s struct {
		Metrics map[string]map[string]any `json:"metrics"`
	}
	require.NoError(t, json.Unmarshal(text, &s))
	return s.Metrics
}

// record opens a saved run and reads the requests of its rows.
func record(t *testing.T, dir string) (*results.Run, [][]client.Result) {
	t.Helper()
	run, err := results.Open(dir)
	require.NoError(t, err)
	t.Cleanup(func() { run.Close() })
	all := make([][]client.Result, len(run.Rows))
	for i := range run.Rows {
		for r, err := range run.Requests(i) {
			require.NoError(t, err)
			all[i] = append(all[i], r)
		}
	}
	return run, all
}

// said returns the lines of what k6 printed that hold a text.
func said(printed, text string) (lines []string) {
	for line := range strings.Lines(printed) {
		if strings.Contains(line, text) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}
