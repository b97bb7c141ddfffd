package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"vllmbench/internal/measure"
	"vllmbench/internal/results"
	"vllmbench/internal/vllmsim"
)

// TestStarved runs a benchmark whose client has a processor to itself, and by
// turns one whose client shares that processor with 1, 2, 4 or 8 processes that
// never sleep, against one server on another processor. The first must keep all
// its metrics; the second must show none that the starving changed.
//
//	go test ./bench -run=Starved -starved=50 -timeout=0 -v
func TestStarved(t *testing.T) {
	if starvedRuns == 0 {
		t.Skip("it needs two processors for itself and minutes: ask for it by -starved=RUNS")
	}
	server, client := twoCPUs(t)
	url := simulate(t, vllmsim.Config{GPU: "H100"})
	keepTo(t, server) // this process is the server
	for _, stamps := range []string{"kernel", "user"} {
		t.Run(stamps, func(t *testing.T) {
			args := []string{"-url=" + url, "-priority=false", "-user-stamps=" + strconv.FormatBool(stamps == "user")}
			var clean, starved []measure.Row
			for i := range starvedRuns {
				clean = append(clean, runOn(t, client, 0, args))
				starved = append(starved, runOn(t, client, 1<<(i%4), args))
			}
			v := judge(clean, starved)
			t.Logf("%s stamps, %d runs each: %d metrics left out of clean runs, %d shown by starved runs although they changed\n%s",
				stamps, starvedRuns, len(v.untrue), len(v.missed), v.table())
			if stamps == "kernel" { // Go's timers are up to 1 ms late on Linux, which a heartbeat cannot tell from a late client
				assert.Empty(t, v.untrue, "left out of clean runs")
			}
			assert.Empty(t, v.missed, "shown by starved runs although it changed")
		})
	}
}

// runOn runs one cell of 8 streams on processor cpu beside spinning processes.
func runOn(t *testing.T, cpu, spinning int, args []string) measure.Row {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	args = append([]string{"-test.bench=Throughput", "-test.benchtime=6x", "-batches=8", "-prompt=10", "-output=32", "-record=" + dir}, args...)
	var c *child
	var spinners []*exec.Cmd
	startOn(t, cpu, func() {
		for range spinning {
			s := exec.Command("sh", "-c", "while :; do :; done")
			require.NoError(t, s.Start())
			spinners = append(spinners, s)
		}
		c = startChild(t, args...)
	})
	c.end()
	for _, s := range spinners {
		_ = s.Process.Kill()
		_ = s.Wait()
	}
	run, err := results.Open(dir)
	require.NoError(t, err, c.all())
	defer run.Close()
	require.Len(t, run.Rows, 1, c.all())
	return run.Rows[0].Measured
}

// twoCPUs returns two processors that this process may use.
func twoCPUs(t *testing.T) (first, second int) {
	t.Helper()
	var all unix.CPUSet
	require.NoError(t, unix.SchedGetaffinity(0, &all))
	if all.Count() < 2 {
		t.Skip("it needs two processors")
	}
	next := func(cpu int) int {
		for !all.IsSet(cpu) {
			cpu++
		}
		return cpu
	}
	first = next(0)
	return first, next(first + 1)
}

// keepTo keeps all threads of this process on one processor until the test ends.
func keepTo(t *testing.T, cpu int) {
	t.Helper()
	var all unix.CPUSet
	require.NoError(t, unix.SchedGetaffinity(0, &all))
	move := func(set unix.CPUSet) {
		tasks, err := os.ReadDir("/proc/self/task")
		require.NoError(t, err)
		for _, task := range tasks {
			tid, err := strconv.Atoi(task.Name())
			require.NoError(t, err)
			if err := unix.SchedSetaffinity(tid, &set); err != unix.ESRCH { // ESRCH: it ended meanwhile
				require.NoError(t, err)
			}
		}
	}
	move(only(cpu))
	t.Cleanup(func() { move(all) })
}

// startOn runs start, whose processes stay on one processor: they inherit it
// from the thread that starts them, and Go sizes its scheduler by it.
func startOn(t *testing.T, cpu int, start func()) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before unix.CPUSet
	require.NoError(t, unix.SchedGetaffinity(0, &before))
	one := only(cpu)
	require.NoError(t, unix.SchedSetaffinity(0, &one))
	defer func() {
		if err := unix.SchedSetaffinity(0, &before); err != nil {
			panic(fmt.Sprintf("the thread stays on processor %d: %v", cpu, err))
		}
	}()
	start()
}

func only(cpu int) (set unix.CPUSet) {
	set.Set(cpu)
	return set
}
