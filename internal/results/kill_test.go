package results

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// writeForever records one run after another into dir, until it is killed.
// It says on standard output what is safe on the disk: "begun RUN", "row RUN
// ROWS", "done RUN".
func writeForever(dir string) error {
	for run := 1; ; run++ {
		w, err := Create(dir, header(fmt.Sprint(run)))
		if err != nil {
			return err
		}
		fmt.Println("begun", run)
		for i := range 4 {
			if err := w.GPU(samples(i, 20)); err != nil {
				return err
			}
			if err := w.Row(row("throughput", "Throughput/batch=4", i), requests(50)); err != nil {
				return err
			}
			fmt.Println("row", run, i+1)
		}
		if err := w.Close(true); err != nil {
			return err
		}
		fmt.Println("done", run)
	}
}

// killed runs writeForever, kills it after a while, and returns the last run
// that it called done, the last that it began, and that one's rows.
func killed(t *testing.T, dir string, after time.Duration) (done, begun, rows int) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "RESULTS_TEST_WRITER="+dir)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	if err != nil {
		cmd.Wait()
		t.Fatal("the writer did not begin: ", complaints.String())
	}
	time.AfterFunc(after, func() { cmd.Process.Kill() })
	rest, err := io.ReadAll(lines)
	require.NoError(t, err)
	require.Error(t, cmd.Wait())
	require.Empty(t, complaints.String())

	for _, text := range strings.Split(first+string(rest), "\n") {
		var n int
		if _, err := fmt.Sscanf(text, "done %d", &n); err == nil {
			done = n
		}
		if _, err := fmt.Sscanf(text, "begun %d", &n); err == nil {
			begun, rows = n, 0
		}
		fmt.Sscanf(text, "row %d %d", &n, &rows)
	}
	return done, begun, rows
}

var kills = flag.Int("kills", 15, "processes that the tests of killed ones kill")

// TestKilledWriter kills a writer at random instants, -kills times over: what it
// called saved must be readable, and the run that was there before unharmed.
func TestKilledWriter(t *testing.T) {
	root := t.TempDir()
	unfinished, read, replaced := 0, 0, 0
	for i := range *kills {
		dir := filepath.Join(root, fmt.Sprint(i), "baseline")
		older := i%4 > 0
		if older {
			record(t, dir, "0", 3)
		}
		done, begun, rows := killed(t, dir, rand.N(25*time.Millisecond))
		current, err := Open(dir)
		require.NoError(t, err)
		read += len(current.Rows)
		var nonce int
		_, err = fmt.Sscan(current.Header.Nonce, &nonce)
		require.NoError(t, err)
		assert.GreaterOrEqual(t, nonce, done)
		replaced += min(nonce, 1)
		if older || done > 0 {
			assert.True(t, current.Complete, current.Warnings)
		}
		check(t, current)
		if begun > done && nonce != begun {
			unfinished++
			left := siblings(dir, "new")
			require.Len(t, left, 1)
			run, err := Open(left[0])
			require.NoError(t, err)
			assert.Equal(t, fmt.Sprint(begun), run.Header.Nonce)
			assert.GreaterOrEqual(t, len(run.Rows), rows)
			read += len(run.Rows)
			assert.GreaterOrEqual(t, len(run.GPU), 20*len(run.Rows), "a row has its samples")
			check(t, run)
		} else if begun == nonce {
			assert.GreaterOrEqual(t, len(current.Rows), rows)
		}
		record(t, dir, "after", 1)
		assert.Equal(t, []string{"baseline"}, names(t, filepath.Dir(dir)))
	}
	t.Logf("%d kills: %d in the midst of a run, %d after a run had taken its place; %d rows read with all their requests, 0 lost", *kills, unfinished, replaced, read)
	assert.Positive(t, unfinished, "no kill hit a run in progress")
}

// check reads all of a run and closes it.
func check(t *testing.T, run *Run) {
	for i, r := range run.Rows {
		reqs, err := whole(run, i)
		require.NoError(t, err)
		assert.Len(t, reqs, r.Requests.Count)
		assert.Equal(t, requests(r.Requests.Count), reqs)
	}
	require.NoError(t, run.Close())
}

// TestKilledExport kills the writer of derived files at random instants: under their names lie whole files alone.
func TestKilledExport(t *testing.T) {
	const size = 200_000
	left := 0
	for range *kills {
		dir := t.TempDir()
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "RESULTS_TEST_EXPORTER="+dir)
		require.NoError(t, cmd.Start())
		path := filepath.Join(dir, "f")
		require.Eventually(t, func() bool { _, err := os.Stat(path); return err == nil }, 30*time.Second, time.Millisecond)
		time.Sleep(rand.N(10 * time.Millisecond)) // the random instant
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait())
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Len(t, text, size)
		require.Equal(t, size, bytes.Count(text, text[:1]), "parts of two files")
		left += len(names(t, dir)) - 1
	}
	t.Logf("%d kills: every file whole; %d unfinished ones beside them", *kills, left)
	assert.Positive(t, left, "no kill hit an export in progress")
}

// exportForever replaces one file again and again, until it is killed.
func exportForever(dir string) error {
	for n := byte('a'); ; n = 'a' + (n-'a'+1)%26 {
		err := replace(filepath.Join(dir, "f"), func(w io.Writer) error {
			_, err := w.Write(bytes.Repeat([]byte{n}, 200_000))
			return err
		})
		if err != nil {
			return err
		}
	}
}
