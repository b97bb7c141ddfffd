package results

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// smallDisk mounts a file system of some bytes until the test ends.
func smallDisk(t *testing.T, size string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skip("mounting a small file system needs root: ", err)
	}
	t.Cleanup(func() { assert.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	return dir
}

// fill leaves free bytes of a full disk free, in whole pages.
func fill(t *testing.T, disk string, free int64) {
	t.Helper()
	f, err := os.Create(filepath.Join(disk, "filler"))
	require.NoError(t, err)
	block := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(block)
	}
	require.ErrorIs(t, err, unix.ENOSPC)
	size, err := f.Seek(0, 1)
	require.NoError(t, err)
	require.NoError(t, f.Truncate(max(0, size-free)))
	require.NoError(t, f.Close())
}

// TestFullDisk lets the disk run full at every stage of a run: of its header,
// its rows and their requests. What was saved is read, and the older run is unharmed.
func TestFullDisk(t *testing.T) {
	stages := map[string]int{}
	for pages := range int64(12) {
		disk := smallDisk(t, "256k")
		dir := filepath.Join(disk, "baseline")
		record(t, dir, "old", 2)
		fill(t, disk, 4096*pages)

		saved := 0
		w, err := Create(dir, header("new"))
		if err == nil {
			for i := 0; err == nil; i++ {
				require.Less(t, i, 1000, "the disk never ran full")
				if err = w.GPU(samples(i, 3)); err == nil {
					err = w.Row(row("throughput", "Throughput/batch=4", i), requests(20))
				}
				if err == nil {
					saved++
				}
			}
			stages[strings.Join(strings.Fields(err.Error())[:2], " ")]++
			assert.ErrorContains(t, err, ": record into a folder with room; ")
			require.Error(t, w.Close(true), "a run that is not whole takes no place")
			run, openErr := Open(w.Dir())
			require.NoError(t, openErr)
			assert.Len(t, run.Rows, saved)
			assert.False(t, run.Complete)
			check(t, run)
		} else {
			stages["Create"]++
			assert.ErrorContains(t, err, "cannot record into "+dir+": ")
		}
		assert.ErrorIs(t, err, unix.ENOSPC)
		assert.NotContains(t, err.Error(), "\n")
		t.Logf("%d pages free, %d rows saved: %v", pages, saved, err)

		old, err := Open(dir)
		require.NoError(t, err)
		assert.Equal(t, "old", old.Header.Nonce)
		assert.True(t, old.Complete)
		assert.Len(t, old.Rows, 2)
		require.NoError(t, old.Close())

		require.NoError(t, os.Remove(filepath.Join(disk, "filler")))
		record(t, dir, "next", 1)
		assert.Equal(t, []string{"baseline"}, names(t, disk), "with room again, the next run clears up")
	}
	t.Log(stages)
	assert.GreaterOrEqual(t, len(stages), 3, "of Create, GPU samples, requests and rows: %v", stages)
}

// TestFullDiskExport: derived files are the older ones or whole.
func TestFullDiskExport(t *testing.T) {
	disk := smallDisk(t, "256k")
	from := filepath.Join(t.TempDir(), "baseline")
	record(t, from, "n", 3)
	runs := []*Run{reopen(t, from)}
	paths, err := Export(disk, runs)
	require.NoError(t, err)
	older := map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		older[path] = string(text)
	}
	fill(t, disk, 0)
	_, err = Export(disk, runs)
	assert.ErrorIs(t, err, unix.ENOSPC)
	assert.ErrorContains(t, err, "exporting "+disk)
	for path, want := range older {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, want, string(text))
	}
	assert.Len(t, names(t, disk), len(older)+1, "nothing half is left beside the filler")
}
