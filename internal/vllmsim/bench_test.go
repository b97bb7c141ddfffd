package vllmsim

import (
	"bytes"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkScheduler is the cost of one decode step of n requests.
func BenchmarkScheduler(b *testing.B) {
	for _, n := range []int{1, 32, 256} {
		b.Run(fmt.Sprintf("seqs=%d", n), func(b *testing.B) {
			s := NewScheduler(Limits{MaxNumSeqs: n, MaxNumBatchedTokens: 8192, BlockSize: 16, NumBlocks: 1 << 17, PrefixCaching: true})
			id := uint64(0)
			b.ReportAllocs()
			for b.Loop() {
				for s.Running()+s.Waiting() < n {
					id++
					s.Add(NewRequest(id, []int32{int32(id)}, 1000, ""))
				}
				s.Finish(s.Schedule())
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/token")
		})
	}
}

// BenchmarkServer is the server's CPU for each token that it streams, as a
// process beside its client. One op is one request of 200 tokens on each stream.
func BenchmarkServer(b *testing.B) {
	const output = 200
	for _, streams := range []int{1, 32, 128} {
		b.Run(fmt.Sprintf("streams=%d", streams), func(b *testing.B) {
			_, url, stop := child(b)
			defer stop()
			conns := make([]net.Conn, streams)
			for i := range conns {
				c, err := net.Dial("tcp", url[len("http://"):])
				require.NoError(b, err)
				defer c.Close()
				conns[i] = c
			}
			before := cpuSeconds(b, url)
			for b.Loop() {
				var wg sync.WaitGroup
				for _, c := range conns {
					wg.Go(func() { readStream(b, c, output) })
				}
				wg.Wait()
			}
			used := cpuSeconds(b, url) - before
			b.ReportMetric(used*1e9/float64(b.N*streams*output), "cpu-ns/token")
		})
	}
}

// readStream sends a request on c and reads until its stream ends, as cheaply
// as can be.
func readStream(b *testing.B, c net.Conn, output int) {
	body := fmt.Sprintf(`{"prompt":[1,2,3,4,5,6,7,8,9,10],"max_tokens":%d,"stream":true}`, output)
	fmt.Fprintf(c, "POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	buf := make([]byte, 64<<10)
	var tail []byte
	for !bytes.HasSuffix(tail, []byte("\r\n0\r\n\r\n")) {
		n, err := c.Read(buf)
		if err != nil {
			b.Error(err)
			return
		}
		tail = append(tail[max(0, len(tail)-8):], buf[:n]...)
	}
}

func cpuSeconds(b *testing.B, url string) float64 {
	return scrape(b, url)["process_cpu_seconds_total"].Metric[0].GetCounter().GetValue()
}

// BenchmarkSleep is how late the engine wakes up for the end of a step.
func BenchmarkSleep(b *testing.B) {
	precise, free := newSleeper()
	defer free()
	for _, s := range []struct {
		name       string
		sleepUntil func(time.Time)
	}{{"engine", precise}, {"runtime", RuntimeSleep}} {
		b.Run("timer="+s.name, func(b *testing.B) {
			var late []time.Duration
			at := time.Now()
			for b.Loop() {
				at = at.Add(9400 * time.Microsecond)
				s.sleepUntil(at)
				late = append(late, time.Since(at))
			}
			slices.Sort(late)
			b.ReportMetric(float64(late[len(late)/2]), "p50-late-ns")
			b.ReportMetric(float64(late[len(late)*99/100]), "p99-late-ns")
		})
	}
}
