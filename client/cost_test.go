//go:build linux

package client

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

const costTokens = 200 // tokens of a stream; one op is a stream on each connection

// BenchmarkClient is what Generate costs the machine that it runs on: one
// core for the client, another one for the sender, a token every 20 ms on each stream.
func BenchmarkClient(b *testing.B) {
	cost(b, func(b *testing.B, url string, streams int) reader {
		c, err := New(Config{BaseURL: url, Model: "tiny", Streams: streams})
		require.NoError(b, err)
		b.Cleanup(c.Close)
		return func(tokens int) (int, error) {
			res := c.Generate(b.Context(), Request{IDs: []int{1, 2, 3}, PromptTokens: 3, OutputTokens: tokens, Exact: true, Extensions: true})
			if res.Outcome != OK {
				return 0, fmt.Errorf("%s: %s", res.Outcome, res.Error)
			}
			reads := 0
			for _, e := range res.Events {
				if !e.Merged {
					reads++
				}
			}
			return reads, nil
		}
	})
}

// BenchmarkPlainReader is the floor: net/http and a line reader that stamps each event and does nothing else.
func BenchmarkPlainReader(b *testing.B) {
	cost(b, func(b *testing.B, url string, streams int) reader {
		transport := &http.Transport{MaxIdleConnsPerHost: streams, DisableCompression: true}
		b.Cleanup(transport.CloseIdleConnections)
		return func(tokens int) (int, error) { return readPlainly(b.Context(), transport, url, tokens) }
	})
}

func readPlainly(ctx context.Context, transport *http.Transport, url string, tokens int) (reads int, err error) {
	body := fmt.Sprintf(`{"prompt":[1,2,3],"max_tokens":%d}`, tokens)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/completions", strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	stamps := make([]time.Time, 0, tokens+2)
	for lines := bufio.NewReader(resp.Body); ; {
		alone := lines.Buffered() == 0
		line, err := lines.ReadSlice('\n')
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, err
		}
		if bytes.HasPrefix(line, []byte("data:")) {
			stamps = append(stamps, time.Now())
			if alone {
				reads++
			}
		}
	}
	if len(stamps) != tokens+2 { // usage, [DONE]
		return 0, fmt.Errorf("%d events, not %d", len(stamps), tokens+2)
	}
	return reads, nil
}

// A reader reads one stream. It returns how many reads its tokens came in:
// fewer than tokens where a busy machine let them pile up, which makes them cheaper.
type reader func(tokens int) (reads int, err error)

func cost(b *testing.B, open func(b *testing.B, url string, streams int) reader) {
	for _, streams := range []int{64, 256, 1024} {
		b.Run(fmt.Sprintf("streams=%d", streams), func(b *testing.B) {
			url, pid := startSender(b, senderConfig{Interval: 20 * time.Millisecond})
			split(b, pid)
			one := open(b, url, streams)
			var reads atomic.Int64
			all := func(tokens int) error {
				var g errgroup.Group
				for range streams {
					g.Go(func() error {
						n, err := one(tokens)
						reads.Add(int64(n))
						return err
					})
				}
				return g.Wait()
			}
			require.NoError(b, all(5), "opening the connections")

			reads.Store(0)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			cpu := CPUTime()
			for b.Loop() {
				require.NoError(b, all(costTokens))
			}
			cpu = CPUTime() - cpu
			runtime.ReadMemStats(&after)
			tokens := float64(b.N * streams * costTokens)
			b.ReportMetric(float64(cpu.Microseconds())/tokens, "us-cpu/tok")
			b.ReportMetric(float64(after.Mallocs-before.Mallocs)/tokens, "allocs/tok")
			b.ReportMetric(float64(reads.Load())/tokens, "reads/tok")
			b.ReportMetric(0, "ns/op") // the sender's beat, not a cost
		})
	}
}
