package gpuprobe

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
)

// processes returns all processes seen at the near reads, nil if none read them.
func (w window) processes(expected map[int]bool) (all []Process) {
	for _, s := range w.near {
		if s.Processes != nil && all == nil {
			all = []Process{}
		}
		for _, p := range s.Processes {
			same := func(q Process) bool { return q.GPU == p.GPU && q.PID == p.PID }
			if i := slices.IndexFunc(all, same); i >= 0 {
				all[i].Memory.N = max(all[i].Memory.N, p.Memory.N)
				continue
			}
			p.Expected = isExpected(expected, p.PID)
			all = append(all, p)
		}
	}
	return all
}

// isExpected says whether pid or one of its ancestors is expected.
func isExpected(expected map[int]bool, pid int) bool {
	for range 64 { // deeper than any tree of processes; ends a loop of reused pids
		if expected[pid] {
			return true
		}
		if len(expected) == 0 || pid <= 1 {
			return false
		}
		pid = parent(pid)
	}
	return false
}

// parent returns the parent of a process, 0 if it is not known (proc_pid_stat(5)).
func parent(pid int) int {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name, in brackets, may hold anything; the state and the parent follow it.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return 0
	}
	ppid, err := strconv.Atoi(string(fields[1]))
	if err != nil {
		return 0
	}
	return ppid
}
