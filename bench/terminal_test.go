//go:build unix

package bench

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// onTerminal runs the benchmarks from a terminal of 80 columns, with standard
// output into a file, until the end, or to an interrupt once the terminal
// shows text. It returns what the file and the terminal got.
func onTerminal(t *testing.T, interruptAt string, args ...string) (c *child, screen string) {
	t.Helper()
	path, err := binary()
	require.NoError(t, err)
	out, err := os.Create(filepath.Join(t.TempDir(), "out.txt"))
	require.NoError(t, err)
	defer out.Close()
	c = &child{t: t, cmd: exec.CommandContext(t.Context(), path, append([]string{"-test.run=^$", "-test.bench=.", "-test.benchtime=1x", "-gpu=none"}, args...)...)}
	c.cmd.Env = append(os.Environ(), "VLLM_BASE_URL=", "VLLM_API_KEY=", "TERM=xterm")
	c.cmd.Stdout, c.cmd.Stderr = out, &c.stderr
	tty, err := pty.StartWithSize(c.cmd, &pty.Winsize{Rows: 24, Cols: 80})
	require.NoError(t, err)
	defer tty.Close()

	var seen strings.Builder
	for buffer := make([]byte, 4096); ; {
		n, err := tty.Read(buffer)
		seen.Write(buffer[:n])
		if interruptAt != "" && strings.Contains(seen.String(), interruptAt) {
			_, err := tty.Write([]byte{3}) // Ctrl-C
			require.NoError(t, err)
			interruptAt = ""
		}
		if err != nil { // the child was the last to have it open
			break
		}
	}
	_ = c.cmd.Wait() // the exit status is looked at by status
	_, err = out.Seek(0, io.SeekStart)
	require.NoError(t, err)
	_, err = io.Copy(&c.stdout, out)
	require.NoError(t, err)
	return c, seen.String()
}

const erased = "\r\x1b[J"

// drawings are the lines that the terminal showed, which must be one at a
// time: each replaces the one before, and after each cell there is none.
func drawings(t *testing.T, screen string) (lines []string, cells int) {
	t.Helper()
	for part := range strings.SplitSeq(strings.TrimPrefix(screen, "\r"), "\r") {
		switch text, ok := strings.CutSuffix(part, "\x1b[J"); {
		case !ok:
			assert.Empty(t, strings.Trim(part, "^C"), "drawn without an end")
		case text == "":
			cells++
		default:
			assert.LessOrEqual(t, len([]rune(text)), 79)
			assert.NotContains(t, text, "\x1b")
			assert.NotContains(t, text, "\n")
			lines = append(lines, text)
		}
	}
	return lines, cells
}

func TestProgressOnTerminal(t *testing.T) {
	t.Parallel()
	args := tiny("-output=70", "-test.bench=Latency|Throughput") // each phase is longer than two drawings are apart
	c, screen := onTerminal(t, "", args...)
	assert.Zero(t, c.status(), c.all())
	lines, cells := drawings(t, screen)
	assert.Equal(t, 3, cells, "erased once a cell: %q", screen)
	assert.True(t, strings.HasSuffix(screen, erased), "%q", screen)
	for _, want := range []string{"cell 1/3 ", "cell 3/3 ", "warm-up", "0%", "ending", "tok/s", "TTFT p50 ", "2 in flight", "Latency", "s left"} {
		assert.Contains(t, strings.Join(lines, "\n"), want)
	}

	off, nothing := onTerminal(t, "", append(args, "-progress=off")...)
	assert.Zero(t, off.status(), off.all())
	assert.Empty(t, nothing)
	assert.NotContains(t, c.stdout.String(), "\x1b")
	assert.Equal(t, shape(off), shape(c), "standard output knows nothing of the terminal")
}

// shape is standard output without its figures and its port.
func shape(c *child) (lines []string) {
	for line := range strings.Lines(c.stdout.String()) {
		f := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "Benchmark"):
			line = f[0]
		case strings.HasPrefix(line, "# left out"): // by the figures
			continue
		case strings.HasPrefix(line, "# url"), strings.HasPrefix(line, "# stamps"):
			line = strings.Join(f[:2], " ")
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}

// Ctrl-C on the terminal ends the run and leaves no line there.
func TestProgressInterrupted(t *testing.T) {
	t.Parallel()
	began := time.Now()
	c, screen := onTerminal(t, "warm-up", tiny("-outputs=2000", "-output=2000")...)
	assert.Less(t, time.Since(began), soon)
	assert.Equal(t, 1, c.status())
	assert.True(t, strings.HasSuffix(screen, erased), "%q", screen)
	assert.Contains(t, c.stdout.String(), "the run was interrupted")
	assert.NotContains(t, c.stdout.String(), "\x1b")
}
