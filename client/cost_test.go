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
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

const costTokens = 200 // tokens of a stream; one op is a stream on each connection

// BenchmarkClient is what Generate costs the machine that it runs on: one
// core for the client, another one for the sender, a token every 20 ms on each stream.
func BenchmarkClient(b *testing.B) {
	cost(b, func(b *testing.B, url string, streams int) func(tokens int) error {
		c, err := New(Config{BaseURL: url, Model: "tiny", Streams: streams})
		require.NoError(b, err)
		b.Cleanup(c.Close)
		return func(tokens int) error {
			res := c.Generate(b.Context(), Request{IDs: []int{1, 2, 3}, PromptTokens: 3, OutputTokens: tokens, Exact: true, Extensions: true})
			if res.Outcome != OK {
				return fmt.Errorf("%s: %s", res.Outcome, res.Error)
			}
			return nil
		}
	})
}

// BenchmarkPlainReader is the floor: net/http and a line reader that stamps each event and does nothing else.
func BenchmarkPlainReader(b *testing.B) {
	cost(b, func(b *testing.B, url string, streams int) func(tokens int) error {
		transport := &http.Transport{MaxIdleConnsPerHost: streams, DisableCompression: true}
		b.Cleanup(transport.CloseIdleConnections)
		return func(tokens int) error { return readPlainly(b.Context(), transport, url, tokens) }
	})
}

func readPlainly(ctx context.Context, transport *http.Transport, url string, tokens int) error {
	body := fmt.Sprintf(`{"prompt":[1,2,3],"max_tokens":%d}`, tokens)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/completions", strings.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	stamps := make([]time.Time, 0, tokens+2)
	lines := bufio.NewReader(resp.Body)
	for {
		line, err := lines.ReadSlice('\n')
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if bytes.HasPrefix(line, []byte("data:")) {
			stamps = append(stamps, time.Now())
		}
	}
	if len(stamps) != tokens+2 { // usage, [DONE]
		return fmt.Errorf("%d events, not %d", len(stamps), tokens+2)
	}
	return nil
}

// cost measures the function that open returns, which reads one stream.
func cost(b *testing.B, open func(b *testing.B, url string, streams int) func(tokens int) error) {
	for _, streams := range []int{64, 256, 1024} {
		b.Run(fmt.Sprintf("streams=%d", streams), func(b *testing.B) {
			url, pid := startSender(b, senderConfig{Interval: 20 * time.Millisecond})
			split(b, pid)
			one := open(b, url, streams)
			all := func(tokens int) error {
				var g errgroup.Group
				for range streams {
					g.Go(func() error { return one(tokens) })
				}
				return g.Wait()
			}
			require.NoError(b, all(5), "opening the connections")

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
			b.ReportMetric(0, "ns/op") // the sender's beat, not a cost
		})
	}
}
