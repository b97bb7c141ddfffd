package load

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"vllmbench/client"
)

// BenchmarkOpen is how late requests leave: an op is one arrival, and the
// server answers 50 ms later. Lateness is from the scheduled instant to the
// first line of the request's own goroutine.
func BenchmarkOpen(b *testing.B) {
	for _, rate := range []float64{100, 2000} {
		b.Run(fmt.Sprintf("rate=%v", rate), func(b *testing.B) {
			length := time.Duration(float64(b.N) / rate * 1e9)
			s, err := Arrivals{Phases: []Phase{{rate, rate, length}}}.Schedule()
			require.NoError(b, err)
			epoch := time.Now()
			do := func(context.Context, client.Request) client.Result {
				sent := time.Since(epoch)
				time.Sleep(50 * time.Millisecond)
				end := time.Since(epoch)
				return client.Result{Sent: sent, Events: []client.Event{{At: end, Tokens: 1}}, End: end, Outcome: client.OK}
			}
			cpu := client.CPUTime()
			b.ResetTimer()
			l := Open{Schedule: s, InFlight: 10_000, Epoch: epoch, Next: next, Do: do}.Start(b.Context())
			_, err = l.Await(len(s))
			require.NoError(b, err)
			rs := l.Stop()[0]
			b.StopTimer()
			late := make([]time.Duration, len(rs))
			for i, r := range rs {
				late[i] = r.Sent - r.Intended
			}
			slices.Sort(late)
			b.ReportMetric(float64(late[len(late)/2]), "p50-late-ns")
			b.ReportMetric(float64(late[len(late)*99/100]), "p99-late-ns")
			b.ReportMetric(float64(late[len(late)-1]), "max-late-ns")
			b.ReportMetric(float64(len(rs))/(rs[len(rs)-1].Sent-rs[0].Intended).Seconds(), "sent/s")
			b.ReportMetric(float64(client.CPUTime()-cpu)/float64(len(rs)), "cpu-ns/op")
		})
	}
}
