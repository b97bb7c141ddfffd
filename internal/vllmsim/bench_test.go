package vllmsim

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
)

// BenchmarkScheduler is the cost of one decode step of n requests.
func BenchmarkScheduler(b *testing.B) {
	for _, n := range []int{1, 32, 256, 4096} {
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
			conns := dial(b, url, streams)
			before := cpuSeconds(b, url)
			for b.Loop() {
				readStreams(b, conns, output)
			}
			used := cpuSeconds(b, url) - before
			b.ReportMetric(used*1e9/float64(b.N*streams*output), "cpu-ns/token")
		})
	}
}

// BenchmarkWrite is what the system alone takes to write one token's event to
// each of n connections in turn: no server on one core can send more than that allows.
func BenchmarkWrite(b *testing.B) {
	event := bytes.Repeat([]byte("x"), 230) // as long as a completion's event
	for _, n := range []int{16, 256, 2000} {
		b.Run(fmt.Sprintf("streams=%d", n), func(b *testing.B) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(b, err)
			defer l.Close()
			conns := make([]net.Conn, n)
			for i := range conns {
				conns[i], err = net.Dial("tcp", l.Addr().String())
				require.NoError(b, err)
				defer conns[i].Close()
				peer, err := l.Accept()
				require.NoError(b, err)
				go func() {
					defer peer.Close()
					_, _ = io.Copy(io.Discard, peer) // until the other side closes
				}()
			}
			for b.Loop() {
				for _, c := range conns {
					if _, err := c.Write(event); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/token")
		})
	}
}

// BenchmarkFlush is how late tokens leave a server of one core whose steps take
// 5 ms, by its own histogram. One op is one request of 200 tokens on each
// stream. The clients need the other cores.
func BenchmarkFlush(b *testing.B) {
	const output, step = 200, 5 * time.Millisecond
	for _, streams := range []int{16, 64, 128, 256, 2000} {
		b.Run(fmt.Sprintf("streams=%d", streams), func(b *testing.B) {
			b.Setenv("GOMAXPROCS", "1")
			_, url, stop := child(b, "--gpu", "H200", "--model", "Qwen2.5-0.5B", "--max-num-seqs", "2048", "--step-overhead", step.String())
			defer stop()
			conns := dial(b, url, streams)
			for b.Loop() {
				readStreams(b, conns, output)
			}
			m := scrape(b, url)
			lateness := m["vllmsim:flush_lateness_seconds"].Metric[0].GetHistogram()
			b.ReportMetric(1e9*quantile(lateness, 0.5), "p50-late-ns")
			b.ReportMetric(1e9*quantile(lateness, 0.99), "p99-late-ns")
			b.ReportMetric(m["process_resident_memory_bytes"].Metric[0].GetGauge().GetValue()/float64(streams), "rss-B/stream")
			b.ReportMetric(m["process_cpu_seconds_total"].Metric[0].GetCounter().GetValue()/b.Elapsed().Seconds()*100, "cpu-%")
		})
	}
}

// quantile interpolates within a histogram's buckets; beyond the last bound it is that bound.
func quantile(h *dto.Histogram, q float64) float64 {
	rank, low, below := q*float64(h.GetSampleCount()), 0.0, 0.0
	for _, b := range h.Bucket {
		n := float64(b.GetCumulativeCount())
		if n >= rank && !math.IsInf(b.GetUpperBound(), 1) {
			return low + (b.GetUpperBound()-low)*(rank-below)/(n-below)
		}
		if !math.IsInf(b.GetUpperBound(), 1) {
			low, below = b.GetUpperBound(), n
		}
	}
	return low
}

// dial opens n connections to the server.
func dial(b *testing.B, url string, n int) []net.Conn {
	conns := make([]net.Conn, n)
	for i := range conns {
		c, err := net.Dial("tcp", url[len("http://"):])
		require.NoError(b, err)
		b.Cleanup(func() { c.Close() })
		conns[i] = c
	}
	return conns
}

// readStreams sends a request on each connection, all at once.
func readStreams(b *testing.B, conns []net.Conn, output int) {
	var wg sync.WaitGroup
	for _, c := range conns {
		wg.Go(func() { readStream(b, c, output) })
	}
	wg.Wait()
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
