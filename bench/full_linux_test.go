package bench

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"vllmbench/internal/vllmsim"
)

// TestFullDisk records onto a disk that runs full in the midst of the run: it
// fails and says so, what was saved can be read, and the older run is as it was.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=1m"); err != nil {
		t.Skip("mounting a small file system needs root: ", err)
	}
	t.Cleanup(func() { assert.NoError(t, unix.Unmount(disk, unix.MNT_DETACH)) })
	dir := filepath.Join(disk, "run")
	url := simulate(t, vllmsim.Config{})
	first := runChild(t, tiny("-url="+url, "-record="+dir, "-test.bench=Latency")...)
	require.Zero(t, first.status(), first.all())
	old := files(t, dir)

	var free unix.Statfs_t
	require.NoError(t, unix.Statfs(disk, &free))
	const room = 6 // pages: for the header and some rows
	require.NoError(t, os.WriteFile(filepath.Join(disk, "filler"), bytes.Repeat([]byte{1}, int(free.Bavail-room)*int(free.Bsize)), 0o666))
	c := runChild(t, tiny("-url="+url, "-record="+dir, "-test.count=20")...)
	assert.Equal(t, 1, c.status())
	assert.Regexp(t, `(?m)^ +output_test\.go:\d+: saving .*: no space left on device: record into a folder with room; \d+ rows are saved in \S+run\.new-\d+$`, c.stdout.String())
	assert.Regexp(t, `^vllmbench: saving .*: no space left on device.*\n$`, c.stderr.String())
	rows := saved(t, dir+".new-*")
	assert.NotEmpty(t, rows)
	t.Logf("exit status %d, %d rows saved: %s", c.status(), len(rows), c.stderr.String())
	assert.Equal(t, old, files(t, dir), "the older record was changed")
}
