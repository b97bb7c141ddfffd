package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/client"
)

// A slot is a server that works on one request at a time, in the order of
// arrival. work(i) is how long the i-th takes. An event tells when each began.
func slot(epoch time.Time, work func(i int) time.Duration) func(context.Context, client.Request) client.Result {
	busy := make(chan struct{}, 1)
	i := 0
	return func(context.Context, client.Request) client.Result {
		sent := time.Since(epoch)
		busy <- struct{}{}
		began := time.Since(epoch)
		d := work(i)
		i++
		time.Sleep(d)
		end := time.Since(epoch)
		<-busy
		return client.Result{Sent: sent, Events: []client.Event{{At: began, Tokens: 1}}, End: end, Outcome: client.OK}
	}
}

// lindley gives the wait of each arrival at a server with one slot:
// W(i+1) = max(0, W(i) + S(i) - gap), Lindley's recursion.
func lindley(s Schedule, work func(i int) time.Duration) []time.Duration {
	w := make([]time.Duration, len(s))
	for i := range len(s) - 1 {
		w[i+1] = max(0, w[i]+work(i)-(s[i+1]-s[i]))
	}
	return w
}

func mean(d []time.Duration) float64 {
	sum := 0.0
	for _, x := range d {
		sum += x.Seconds()
	}
	return sum / float64(len(d))
}

// waits runs the loop in fake time against a server with one slot.
func waits(t *testing.T, s Schedule, work func(i int) time.Duration) []time.Duration {
	w := make([]time.Duration, len(s))
	synctest.Test(t, func(t *testing.T) {
		epoch := time.Now()
		l := Open{Schedule: s, InFlight: len(s), Epoch: epoch, Next: next, Do: slot(epoch, work)}.Start(t.Context())
		_, err := l.Await(len(s))
		require.NoError(t, err)
		for i, r := range l.Stop()[0] {
			w[i] = r.Events[0].At - r.Intended
		}
	})
	return w
}

// TestOpenQueues holds the wait from the intended time to queueing theory:
// exactly to Lindley's recursion over the same arrivals, and in the mean, over
// as many arrivals as that takes, to the formulas of Pollaczek and Khinchine,
// W = rho/(1-rho) x service for M/M/1 and half of that for M/D/1.
func TestOpenQueues(t *testing.T) {
	const service = 10 * ms
	// The variance of the mean wait over n arrivals grows as 1/(1-rho)^2 on
	// top of the wait's own: these n leave 5 % at three standard deviations or more.
	for _, tc := range []struct {
		load  float64
		n, by int // arrivals for the formula, and how many of them the loop is run for
	}{{0.5, 200_000, 50_000}, {0.8, 800_000, 50_000}, {0.95, 6_000_000, 50_000}} {
		for _, kind := range []string{"M/D/1", "M/M/1"} {
			t.Run(fmt.Sprintf("%s/load=%v", kind, tc.load), func(t *testing.T) {
				t.Parallel()
				rate := tc.load / service.Seconds()
				s := schedule(t, Arrivals{Phases: []Phase{{rate, rate, time.Duration(float64(tc.n) / rate * 1e9)}}, Seed: 1})
				work, want := func(int) time.Duration { return service }, tc.load/(1-tc.load)*service.Seconds()/2
				if kind == "M/M/1" {
					want *= 2
					rng := rand.New(rand.NewPCG(2, 2))
					drawn := make([]time.Duration, len(s))
					for i := range drawn {
						drawn[i] = time.Duration(rng.ExpFloat64() * float64(service))
					}
					work = func(i int) time.Duration { return drawn[i] }
				}
				w := lindley(s, work)
				assert.InEpsilon(t, want, mean(w), 0.05, "mean wait, seconds")
				assert.Equal(t, w[:tc.by], waits(t, s[:tc.by], work), "to the nanosecond")
			})
		}
	}
}

// TestOpenShowsAStall: 100 requests a second, 4 ms each, and a server that
// stands still for 1 s. Who comes k gaps after its begin waits 1 s less the 6 ms
// that the server gains on each gap; a closed loop would have lost one request to it.
func TestOpenShowsAStall(t *testing.T) {
	const n, stalled = 1000, 500
	work := func(i int) time.Duration {
		if i == stalled {
			return time.Second + 4*ms
		}
		return 4 * ms
	}
	w := waits(t, even(t, n), work)
	for i, wait := range w {
		want := time.Duration(0)
		if k := i - stalled; k > 0 {
			want = max(0, time.Second+4*ms-10*ms-time.Duration(k-1)*6*ms)
		}
		require.Equal(t, want, wait, "arrival %d", i)
	}
	slices.Sort(w)
	assert.Equal(t, 940*ms, w[n*99/100].Round(10*ms), "p99")
}
