package fleet

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/load"
	"vllmbench/internal/vllmsim"
)

// slot is a server that works on one request at a time, without overlap.
var slot = vllmsim.Config{Model: "Qwen2.5-0.5B", GPU: "L4", MaxNumSeqs: 1, MaxModelLen: 512, NumGPUBlocksOverride: 40, NoPrefixCaching: true, NoAsyncScheduling: true}

// listed are arrivals of one token and an answer of a length.
type listed struct {
	at      load.Schedule
	answers []int
}

func (l *listed) Next() (Arrival, bool) {
	if len(l.at) == 0 {
		return Arrival{}, false
	}
	a := Arrival{At: l.at[0], Request: vllmsim.NewRequest(0, []int32{1}, l.answers[0], "")}
	l.at, l.answers = l.at[1:], l.answers[1:]
	return a, true
}

func poisson(t *testing.T, n int, rate float64) load.Schedule {
	t.Helper()
	s, err := load.Arrivals{Phases: []load.Phase{{From: rate, To: rate, For: time.Duration(float64(n) / rate * 1e9)}}, Seed: 3}.Schedule()
	require.NoError(t, err)
	return s
}

// simulate returns the sorted TTFTs and E2Es.
func simulate(t *testing.T, n int, policy string, l listed) (ttft, e2e []time.Duration) {
	t.Helper()
	f, err := newFleet(Config{Replicas: n, Server: slot, Router: Router{Policy: policy, Seed: 5}}, &l)
	require.NoError(t, err)
	f.run()
	slices.Sort(f.stats.ttft)
	slices.Sort(f.stats.e2e)
	return f.stats.ttft, f.stats.e2e
}

// services are the times that answers of 1, 2, ... n tokens take alone, and that of the first token.
func services(t *testing.T, n int) (all []time.Duration, first time.Duration) {
	l := listed{at: make(load.Schedule, n), answers: make([]int, n)}
	for i := range n {
		l.at[i], l.answers[i] = time.Duration(i)*time.Minute, i+1
	}
	ttft, e2e := simulate(t, 1, "random", l)
	require.Equal(t, ttft[0], ttft[n-1])
	return e2e, ttft[0] // sorted by time is sorted by length
}

func mean(d []time.Duration) float64 {
	sum := 0.0
	for _, x := range d {
		sum += x.Seconds()
	}
	return sum / float64(len(d))
}

func equalAnswers(n, tokens int) []int { return slices.Repeat([]int{tokens}, n) }

// fifo are the waits before c servers with one queue: each takes the first of
// the line when it is free (Kiefer and Wolfowitz 1955).
func fifo(at load.Schedule, c int, service func(i int) time.Duration) []time.Duration {
	free := make([]time.Duration, c)
	waits := make([]time.Duration, len(at))
	for i, t := range at {
		k := 0
		for j := range free {
			if free[j] < free[k] {
				k = j
			}
		}
		begin := max(t, free[k])
		waits[i], free[k] = begin-t, begin+service(i)
	}
	return waits
}

// erlangC is the mean wait of M/M/c in units of the mean service time.
func erlangC(c int, rho float64) float64 {
	a, term, sum := rho*float64(c), 1.0, 0.0
	for k := range c {
		sum += term
		term *= a / float64(k+1)
	}
	wait := term / (1 - rho)
	return wait / (sum + wait) / (float64(c) * (1 - rho))
}

// TestRandomSplitIsMD1: a random split of Poisson arrivals over servers with a
// constant service time is M/D/1 at each, W = rho/(2(1-rho)) x service.
func TestRandomSplitIsMD1(t *testing.T) {
	all, first := services(t, 1)
	for _, tc := range []struct {
		rho float64
		n   int
	}{{0.5, 300_000}, {0.8, 600_000}} {
		ttft, _ := simulate(t, 4, "random", listed{poisson(t, tc.n, 4*tc.rho/all[0].Seconds()), equalAnswers(tc.n, 1)})
		want := tc.rho / (2 * (1 - tc.rho)) * all[0].Seconds()
		assert.InEpsilon(t, want, mean(ttft)-first.Seconds(), 0.03, "rho %v", tc.rho)
	}
}

// TestRoundRobinIsLindley: each replica has every n-th arrival and a queue of
// its own, to the nanosecond.
func TestRoundRobinIsLindley(t *testing.T) {
	const n, replicas = 20_000, 5
	all, first := services(t, 1)
	at := poisson(t, n, 0.9*replicas/all[0].Seconds())
	var want []time.Duration
	for r := range replicas {
		var mine load.Schedule
		for i := r; i < n; i += replicas {
			mine = append(mine, at[i])
		}
		for _, w := range fifo(mine, 1, func(int) time.Duration { return all[0] }) {
			want = append(want, w+first)
		}
	}
	slices.Sort(want)
	got, _ := simulate(t, replicas, "round-robin", listed{at, equalAnswers(n, 1)})
	assert.Equal(t, want, got)
}

// TestQueueIsMMc: one queue before c replicas is exactly first come, first
// served by c servers; over as many arrivals as that takes, its mean wait is
// Erlang's C formula for exponential answers.
func TestQueueIsMMc(t *testing.T) {
	const c, rho, mostTokens, meanTokens = 4, 0.8, 300, 20.0
	const exact, n = 20_000, 3_000_000
	all, first := services(t, mostTokens)
	rng := rand.New(rand.NewPCG(6, 6))
	answers := make([]int, n)
	total := 0.0
	for i := range answers {
		answers[i] = min(1+int(rng.ExpFloat64()*meanTokens), mostTokens) // geometric
		total += all[answers[i]-1].Seconds()
	}
	service := total / n
	at := poisson(t, n, c*rho/service)
	waits := fifo(at, c, func(i int) time.Duration { return all[answers[i]-1] })
	assert.InEpsilon(t, erlangC(c, rho)*service, mean(waits), 0.05, "the geometric's variance is 1/%v below the exponential's", meanTokens)

	want := slices.Clone(waits[:exact])
	for i := range want {
		want[i] += first
	}
	slices.Sort(want)
	got, _ := simulate(t, c, "queue", listed{at[:exact], answers[:exact]})
	assert.Equal(t, want, got)
}

// TestKnowingMoreHelps: the order of mean waits that theory gives (Mitzenmacher
// 2001 for two choices): random, two choices, the shortest queue, one queue.
func TestKnowingMoreHelps(t *testing.T) {
	const n, replicas = 40_000, 20
	all, first := services(t, 1)
	at := poisson(t, n, 0.9*replicas/all[0].Seconds())
	before := math.Inf(1)
	for _, policy := range []string{"random", "two-choices", "least-loaded", "queue"} {
		ttft, _ := simulate(t, replicas, policy, listed{at, equalAnswers(n, 1)})
		wait := mean(ttft) - first.Seconds()
		assert.Less(t, wait, 0.95*before, policy)
		before = wait
	}
	assert.Equal(t, erlangC(1, 0.5), 1.0, "M/M/1 waits rho/(1-rho) service times")
}
