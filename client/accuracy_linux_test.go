//go:build !race

package client

import (
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var accuracy = flag.Bool("accuracy", false, "run TestAccuracy, which needs two processors for itself for half a minute")

const (
	accuracyRequests = 10 // of each stream, one after the other
	accuracyTokens   = 25 // of each request

	leftOut = 0.01 // measure's limit "merged"
)

// TestAccuracy holds TTFT, ITL and E2E, by the kernel's stamps and by the
// client's own, against the sender's record of the same tokens.
//
//	go test ./client -run=Accuracy -accuracy -v
func TestAccuracy(t *testing.T) {
	if !*accuracy {
		t.Skip("ask for it by -accuracy")
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "streams\tof\tsamples\ttrue p50, p99\tkernel stamps: p50, p99\terror p50, p99\tuser stamps: p50, p99\terror p50, p99\tmerged\tclient's CPU")
	for _, streams := range []int{64, 256, 1024} {
		t.Run(fmt.Sprintf("streams=%d", streams), func(t *testing.T) {
			a := compared(t, streams)
			merged := float64(a.merged) / float64(len(a.itl.truth))
			for _, m := range []struct {
				name string
				*metricError
			}{{"TTFT", &a.ttft}, {"ITL", &a.itl}, {"E2E", &a.e2e}} {
				fmt.Fprintf(w, "%d\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t%.2f %%\t%.0f %%\n", streams, m.name, len(m.truth),
					pair(m.truth), pair(m.kernel), pair(m.kernelError), pair(m.user), pair(m.userError), 100*merged, 100*a.cpu)
			}
			bound := ms / 10
			if streams > 256 {
				bound = ms / 2
			}
			t.Logf("%d streams: not compared since the sender took 1 ms or more to write: %d requests", streams, a.late)
			blurred := float64(a.blurred) / float64(len(a.ttft.truth))
			t.Logf("%d streams: left out of a row beyond 1 %%: ITL with %.2f %% merged, TTFT with %.2f %% of the first tokens merged", streams, 100*merged, 100*blurred)
			if merged <= leftOut {
				assert.Less(t, quantile(a.itl.kernelError, 99), bound)
			}
			if blurred <= leftOut {
				assert.Less(t, quantile(a.ttft.kernelError, 99), bound)
			}
		})
	}
	w.Flush()
	t.Logf("\n%s", b.String())
}

// A metricError is one metric of all samples: the sender's, and each kind of stamps' with its distance from that.
type metricError struct {
	truth, kernel, kernelError, user, userError []time.Duration
}

func (m *metricError) add(truth, kernel, user time.Duration) {
	m.truth = append(m.truth, truth)
	m.kernel = append(m.kernel, kernel)
	m.user = append(m.user, user)
	m.kernelError = append(m.kernelError, (kernel - truth).Abs())
	m.userError = append(m.userError, (user - truth).Abs())
}

// pair is p50 and p99 in milliseconds.
func pair(ds []time.Duration) string {
	return fmt.Sprintf("%.3g, %.3g ms", quantile(ds, 50).Seconds()*1e3, quantile(ds, 99).Seconds()*1e3)
}

type accuracyOf struct {
	ttft, itl, e2e metricError
	merged         int     // gaps whose event shares its stamp
	blurred        int     // first tokens with the stamp of the second
	late           int     // requests with a write of 1 ms or more: nobody knows when its bytes left
	cpu            float64 // share of its processor that the client used
}

// compared runs streams that send one request after the other.
func compared(t *testing.T, streams int) *accuracyOf {
	url, pid := startSender(t, senderConfig{Interval: 20 * ms})
	split(t, pid)
	c, err := New(Config{BaseURL: url, Model: "tiny", Streams: streams})
	require.NoError(t, err)
	defer c.Close()

	all := make(map[string]Result)
	var mu sync.Mutex
	each := func(requests int) {
		var wg sync.WaitGroup
		for i := range streams {
			wg.Go(func() {
				for j := range requests {
					name := fmt.Sprintf("%d of stream %d", j, i)
					res := c.Generate(t.Context(), Request{Text: name, OutputTokens: accuracyTokens, Exact: true})
					mu.Lock()
					all[name] = res
					mu.Unlock()
				}
			})
		}
		wg.Wait()
	}
	each(1) // opens the connections
	clear(all)
	cpu, began := CPUTime(), time.Now()
	each(accuracyRequests)
	a := &accuracyOf{cpu: float64(CPUTime()-cpu) / float64(time.Since(began))}
	sends := sendsOf(t, url)
	for name, res := range all {
		require.Equal(t, OK, res.Outcome, res.Error)
		a.add(&res, sends[name])
	}
	return a
}

func (a *accuracyOf) add(res *Result, sends []send) {
	for _, s := range sends {
		if time.Duration(s.Took) >= ms {
			a.late++
			return
		}
	}
	last := len(sends) - 1
	at := func(i int) time.Duration { return time.Duration(sends[i].At - sends[0].Asked) }
	seen := func(i int) time.Duration { return res.Events[i].At + res.Events[i].Lag }
	a.ttft.add(at(0), res.TTFT(), seen(0)-res.Sent)
	a.e2e.add(at(last), res.E2E(), seen(last)-res.Sent)
	if res.Events[1].Merged {
		a.blurred++
	}
	for i := 1; i <= last; i++ {
		if res.Events[i].Merged {
			a.merged++
		}
		a.itl.add(at(i)-at(i-1), res.Events[i].At-res.Events[i-1].At, seen(i)-seen(i-1))
	}
}
