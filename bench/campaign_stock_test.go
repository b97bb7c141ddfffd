package bench

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/assert"
)

// A stock is what this process holds while no stream is under way.
type stock struct {
	when       string
	goroutines int
	files      int    // -1 where the system does not list them
	heap       uint64 // bytes in use after a garbage collection
}

// takeStock waits until no more is held than in rest, or for 10 s: what a
// closed connection holds ends soon, but after the call that closed it. Where
// nothing is known of rest, it waits until nothing changes.
func takeStock(when string, rest stock) stock {
	s := stock{when: when}
	for began, changed := time.Now(), time.Now(); time.Since(began) < 10*time.Second; time.Sleep(time.Millisecond) {
		goroutines, files := runtime.NumGoroutine(), openFileCount()
		if goroutines != s.goroutines || files != s.files {
			s.goroutines, s.files, changed = goroutines, files, time.Now()
		}
		if s.goroutines <= rest.goroutines && s.files <= rest.files || rest.when == "" && time.Since(changed) > 200*time.Millisecond {
			break
		}
	}
	runtime.GC()
	runtime.GC() // what finalizers let go
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.heap = m.HeapAlloc
	return s
}

// peakMemory is the most that this process has had in memory, as the system has it.
func peakMemory() string {
	status, _ := os.ReadFile("/proc/self/status")
	_, peak, ok := strings.Cut(string(status), "VmHWM:")
	if !ok {
		return "unknown"
	}
	peak, _, _ = strings.Cut(peak, "\n")
	return strings.TrimSpace(peak)
}

func openFileCount() int {
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(fds)
}

func stockTable(stocks []stock) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "when\tgoroutines\tfiles\theap\t")
	for _, s := range stocks {
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t\n", s.when, s.goroutines, s.files, mebibytes(s.heap))
	}
	w.Flush()
	return b.String()
}

func mebibytes(n uint64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// checkStocks wants the middle and the end to hold no more than the start, and
// nothing to be left when the server is closed.
func checkStocks(t *testing.T, stocks []stock) {
	t.Helper()
	const growth = 2 << 20 // bytes; the heap is never twice the same
	before, start, closed := stocks[0], stocks[1], stocks[len(stocks)-1]
	for _, s := range stocks[2 : len(stocks)-1] {
		assert.LessOrEqual(t, s.goroutines, start.goroutines, "goroutines in the %s", s.when)
		assert.LessOrEqual(t, s.files, start.files, "files in the %s", s.when)
		assert.LessOrEqual(t, s.heap, start.heap+growth, "heap in the %s", s.when)
	}
	assert.LessOrEqual(t, closed.goroutines, before.goroutines, "goroutines left")
	assert.LessOrEqual(t, closed.files, before.files, "files left")
}
