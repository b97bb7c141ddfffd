package client

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// split gives this process the first processor that it may use, and the
// process pid the second one, until the test ends. On one processor it does nothing.
func split(tb testing.TB, pid int) {
	tb.Helper()
	var all unix.CPUSet
	require.NoError(tb, unix.SchedGetaffinity(0, &all))
	if all.Count() < 2 {
		tb.Log("only one processor: the client and the sender share it")
		return
	}
	first := nextCPU(&all, 0)
	second := nextCPU(&all, first+1)
	procs := runtime.GOMAXPROCS(1)
	pin(tb, os.Getpid(), only(first))
	pin(tb, pid, only(second))
	tb.Cleanup(func() {
		pin(tb, os.Getpid(), all)
		runtime.GOMAXPROCS(procs)
	})
}

func nextCPU(set *unix.CPUSet, cpu int) int {
	for !set.IsSet(cpu) {
		cpu++
	}
	return cpu
}

func only(cpu int) (set unix.CPUSet) {
	set.Set(cpu)
	return set
}

// pin moves all threads of a process, and so those that they will start.
func pin(tb testing.TB, pid int, set unix.CPUSet) {
	tb.Helper()
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	require.NoError(tb, err)
	for _, task := range tasks {
		tid, err := strconv.Atoi(task.Name())
		require.NoError(tb, err)
		if err := unix.SchedSetaffinity(tid, &set); err != unix.ESRCH { // ESRCH: it ended meanwhile
			require.NoError(tb, err)
		}
	}
}
