package results

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSecondWriterIsRefused(t *testing.T) {
	for _, older := range []bool{false, true} {
		t.Run(fmt.Sprintf("older=%v", older), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "baseline")
			if older {
				record(t, dir, "old", 1)
			}
			first, err := Create(dir, header("first"))
			require.NoError(t, err)
			require.NoError(t, first.Row(row("latency", "Latency", 0), requests(1)))

			_, err = Create(dir, header("second"))
			require.EqualError(t, err, fmt.Sprintf("cannot record into %s: process %d is recording into it: wait for its end or name another folder", dir, os.Getpid()))

			require.NoError(t, first.Row(row("latency", "Latency", 1), requests(2)))
			require.NoError(t, first.Close(true))
			run := reopen(t, dir)
			assert.Equal(t, "first", run.Header.Nonce)
			assert.Len(t, run.Rows, 2)
			assert.Empty(t, run.Warnings)
			assert.Equal(t, []string{"baseline"}, names(t, filepath.Dir(dir)))
		})
	}
}

// TestLockHasOneHolder takes and frees one lock from many goroutines: removing
// the file must never let two of them in.
func TestLockHasOneHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	var holders, taken, most atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 300 {
				f, err := acquire(path)
				if err != nil {
					assert.ErrorContains(t, err, "is recording into it")
					continue
				}
				taken.Add(1)
				if n := holders.Add(1); n > most.Load() {
					most.Store(n)
				}
				holders.Add(-1)
				assert.NoError(t, release(f))
			}
		})
	}
	wg.Wait()
	assert.Equal(t, int32(1), most.Load())
	assert.Positive(t, taken.Load())
}

// TestKillBetweenTheRenames makes the folders that a kill at the worst moment leaves.
func TestKillBetweenTheRenames(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "baseline")
	record(t, dir, "old", 2)
	require.NoError(t, os.Rename(dir, dir+".old-17"))
	record(t, filepath.Join(root, "x"), "new", 3)
	require.NoError(t, os.Rename(filepath.Join(root, "x"), dir+".new-18"))
	require.NoError(t, os.WriteFile(dir+".lock", []byte("1\n"), 0o666)) // of a dead process: nobody holds it

	run := reopen(t, dir)
	assert.Equal(t, "baseline", run.Name)
	assert.Equal(t, "old", run.Header.Nonce)
	assert.Equal(t, []string{"the run was about to be replaced and lies in " + dir + ".old-17"}, run.Warnings)

	w, err := Create(dir, header("next"))
	require.NoError(t, err)
	assert.Equal(t, "old", reopen(t, dir).Header.Nonce, "Create puts it back")
	require.NoError(t, w.Close(true))
	assert.Equal(t, "next", reopen(t, dir).Header.Nonce)
	assert.Equal(t, []string{"baseline"}, names(t, root))
}

// TestKillAfterTheRenames leaves a replaced run beside; a failed swap later must not bring it back.
func TestKillAfterTheRenames(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "baseline")
	record(t, dir, "replaced", 1)
	require.NoError(t, os.Rename(dir, dir+".old-17"))
	record(t, filepath.Join(root, "x"), "current", 1)
	require.NoError(t, os.Rename(filepath.Join(root, "x"), dir))

	f, err := claim(dir)
	require.NoError(t, err)
	require.NoError(t, os.Remove(f.stage), "so that the second rename fails")
	require.Error(t, f.settle())
	assert.Equal(t, "current", reopen(t, dir).Header.Nonce)
	assert.Equal(t, []string{"baseline"}, names(t, root))
}

func TestOnlyFoldersOfRunsAreRemoved(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "baseline")
	for _, kept := range []string{"baseline.new-idea", "baseline.old-3", "baseline.new-4x", "baseline.news"} {
		require.NoError(t, os.Mkdir(filepath.Join(root, kept), 0o777))
		require.NoError(t, os.WriteFile(filepath.Join(root, kept, "notes.md"), nil, 0o666))
	}
	require.NoError(t, os.WriteFile(dir+".old-5", nil, 0o666))
	require.NoError(t, os.Mkdir(dir+".new-6", 0o777))
	record(t, dir, "a", 1)
	record(t, dir, "b", 1)
	assert.Equal(t, []string{"baseline", "baseline.new-4x", "baseline.new-idea", "baseline.news", "baseline.old-3", "baseline.old-5"}, names(t, root))
	assert.FileExists(t, filepath.Join(dir+".old-3", "notes.md"))
}

func TestLinkToAFolderStaysALink(t *testing.T) {
	root := t.TempDir()
	real, link := filepath.Join(root, "disk", "run"), filepath.Join(root, "baseline")
	record(t, real, "old", 1)
	if err := os.Symlink(real, link); err != nil {
		t.Skip("no links here: ", err)
	}
	w, err := Create(link, header("new"))
	require.NoError(t, err)
	require.NoError(t, w.Close(true))
	assert.Equal(t, "new", reopen(t, real).Header.Nonce)
	target, err := os.Readlink(link)
	require.NoError(t, err)
	assert.Equal(t, real, target)
}
