package report

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var kills = flag.Int("kills", 15, "processes that TestKilledReport kills")

const (
	writerEnv  = "REPORT_TEST_WRITER" // set in the process that is to be killed: its folder
	killedSize = 300_000
)

// TestReportWriter is the process that TestKilledReport kills: it writes one set of files after another.
func TestReportWriter(t *testing.T) {
	dir := os.Getenv(writerEnv)
	if dir == "" {
		t.Skip("only TestKilledReport runs it")
	}
	for n := byte('a'); ; n = 'a' + (n-'a'+1)%26 {
		var files []file
		for _, name := range []string{"report.html", "report.md", "throughput.svg"} {
			files = append(files, file{name, bytes.Repeat([]byte{n}, killedSize)})
		}
		_, err := put(dir, files)
		require.NoError(t, err)
	}
}

// TestKilledReport kills a writer of reports at random instants, -kills times
// over: under the final names lie whole files alone.
func TestKilledReport(t *testing.T) {
	found, left := 0, 0
	for range *kills {
		dir := t.TempDir()
		cmd := exec.Command(os.Args[0], "-test.run=^TestReportWriter$")
		cmd.Env = append(os.Environ(), writerEnv+"="+dir)
		require.NoError(t, cmd.Start())
		require.Eventually(t, func() bool { _, err := os.Stat(filepath.Join(dir, "throughput.svg")); return err == nil }, 30*time.Second, time.Millisecond)
		time.Sleep(rand.N(20 * time.Millisecond)) // the random instant
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait())
		beside, err := filepath.Glob(filepath.Join(dir, fmt.Sprintf(".*.tmp-%d", cmd.Process.Pid)))
		require.NoError(t, err)
		left += len(beside)
		whole, err := filepath.Glob(filepath.Join(dir, "[a-z]*"))
		require.NoError(t, err)
		require.Len(t, whole, 3)
		for _, path := range whole {
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Len(t, text, killedSize, path)
			require.Equal(t, killedSize, bytes.Count(text, text[:1]), "%s has parts of two reports", path)
			found++
		}
	}
	t.Logf("%d kills: %d files whole, 0 half; %d unfinished ones beside them", *kills, found, left)
	assert.Positive(t, left, "no kill hit a report in progress")
}
