package fleet

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/slo"
	"vllmbench/internal/vllmsim"
)

// closedLoop returns when the requests of a load are sent if each stream sends
// its next one at the end of the one before.
func closedLoop(t *testing.T, c vllmsim.Config, l vllmsim.Load) (at []time.Duration) {
	v, err := vllmsim.NewVirtual(c)
	require.NoError(t, err)
	rounds := make(map[uint64]int)
	send := func(when time.Time, round int) {
		at = append(at, when.Sub(epoch))
		rounds[uint64(len(at))] = round
		v.Send(vllmsim.NewRequest(uint64(len(at)), make([]int32, l.Prompt), l.Output, ""), when)
	}
	for range l.Streams {
		send(epoch, 0)
	}
	for {
		if _, busy := v.Next(); !busy {
			return at
		}
		outputs, when := v.Step()
		for _, o := range outputs {
			if round := rounds[o.Request.ID]; o.Done && round < l.Rounds {
				send(when, round+1)
			}
		}
	}
}

// equal are arrivals of one prompt and answer.
type equal struct {
	at             []time.Duration
	prompt, output int
}

func (e *equal) Next() (Arrival, bool) {
	if len(e.at) == 0 {
		return Arrival{}, false
	}
	a := Arrival{At: e.at[0], Request: vllmsim.NewRequest(0, make([]int32, e.prompt), e.output, "")}
	e.at = e.at[1:]
	return a, true
}

// TestOneReplicaIsPredict: a fleet of one replica shows what vllmsim predicts
// for the same arrivals, to the nanosecond (ITL: to the unit in which gaps are counted).
func TestOneReplicaIsPredict(t *testing.T) {
	slow := vllmsim.Timing{Request: 1120 * time.Microsecond, Latency: 8340 * time.Microsecond}
	for _, c := range []vllmsim.Config{{MaxNumSeqs: 256}, {MaxNumSeqs: 2, GPU: "L4"}, {MaxNumSeqs: 8, GPU: "H200", Timing: slow}} {
		for _, l := range []vllmsim.Load{{Streams: 1, Prompt: 300, Output: 20, Rounds: 3}, {Streams: 6, Prompt: 80, Output: 30, Rounds: 4}} {
			c.NoPrefixCaching = true
			c.MaxModelLen = 4096
			want, err := vllmsim.Predict(c, l)
			require.NoError(t, err)
			got, err := Run(Config{Replicas: 1, Server: c, Router: Router{Policy: "least-loaded"}, Warmup: 1}, // the first round, at 0, does not count
				&equal{closedLoop(t, c, l), l.Prompt, l.Output})
			require.NoError(t, err)
			assert.Equal(t, want.TTFT, got.TTFT.P50, "%+v", l)
			assert.Equal(t, want.ITL.Round(itlStep), got.ITL.P50, "%+v", l)
			assert.Equal(t, l.Streams*l.Rounds, got.Requests)
		}
	}
}

// small is a fleet whose simulation takes milliseconds.
func small(n int, policy string) Config {
	return Config{
		Replicas: n, Router: Router{Policy: policy, Seed: 7}, Warmup: 20 * time.Second, SLO: slo.SLO{TTFT: time.Second},
		Server: vllmsim.Config{Model: "Qwen2.5-7B", GPU: "L4", MaxNumSeqs: 16, MaxModelLen: 4096, NumGPUBlocksOverride: 1200},
	}
}

func talk(rate float64) Workload {
	return Workload{Rate: rate, For: 80 * time.Second, Seed: 8, Prompt: Lengths{60, 0.5, 300}, Output: Lengths{20, 0.5, 100},
		Prefix: Lengths{600, 0.3, 1200}, Prefixes: 80, Zipf: 1, Turns: 2, Think: 5 * time.Second, Context: 2000}
}

func run(t *testing.T, c Config, w Workload) *Outcome {
	t.Helper()
	arrivals, err := w.Arrivals()
	require.NoError(t, err)
	o, err := Run(c, arrivals)
	require.NoError(t, err)
	return o
}

func TestSameSeedSameTimes(t *testing.T) {
	names, _ := Policies()
	for _, policy := range names {
		c := small(8, policy)
		c.Router.Stale = 300 * time.Millisecond
		first := run(t, c, talk(20))
		assert.Equal(t, first, run(t, c, talk(20)), policy)
		assert.InDelta(t, 20*60, first.Requests, 120, policy)
		assert.Equal(t, first.Goodput/first.Offered, first.Met, policy)
		w := talk(20)
		w.Seed++
		assert.NotEqual(t, first.TTFT, run(t, c, w).TTFT, policy)
	}
}

// TestStaleLoadsHerd: with old loads, all requests of an interval go to those
// that were least loaded at its begin, which is worse than not to look.
func TestStaleLoadsHerd(t *testing.T) {
	p99 := func(policy string, stale time.Duration) time.Duration {
		c := small(20, policy)
		c.Router.Stale = stale
		return run(t, c, Workload{Rate: 130, For: 80 * time.Second, Seed: 9, Prompt: Lengths{100, 0.5, 300}, Output: Lengths{20, 0.5, 100}}).TTFT.P99
	}
	fresh, random, stale := p99("least-loaded", 0), p99("random", 0), p99("least-loaded", 2*time.Second)
	assert.Less(t, fresh, random)
	assert.Greater(t, stale, 2*random)
	assert.Less(t, p99("two-choices", 2*time.Second), stale/2, "who looks at few cannot herd")
}

// TestPrefixRouting: it finds what random routing scatters; without its bound
// the replica of a popular prefix is overrun.
func TestPrefixRouting(t *testing.T) {
	random, prefix, affinity := run(t, small(8, "random"), talk(28)), run(t, small(8, "prefix"), talk(28)), run(t, small(8, "affinity"), talk(28))
	assert.Greater(t, prefix.HitRate, 1.5*random.HitRate)
	assert.Greater(t, affinity.HitRate, prefix.HitRate)
	assert.Greater(t, affinity.Imbalance, 1.3*prefix.Imbalance)
	assert.Less(t, prefix.TTFT.P50, random.TTFT.P50)
}

func TestGrowth(t *testing.T) {
	o := run(t, small(4, "queue"), talk(60))
	assert.True(t, o.Grows())
	assert.InDelta(t, o.Offered-o.Served, o.Growth, 0.1*o.Offered, "what is not served is in flight")
	assert.False(t, run(t, small(4, "queue"), talk(5)).Grows())
}

func TestCapacityIsServed(t *testing.T) {
	w := talk(0)
	w.Prefixes = 10
	c := small(1, "random")
	most, err := Capacity(c, w)
	require.NoError(t, err)
	w.Rate = 0.7 * most
	assert.False(t, run(t, c, w).Grows())
	w.Rate = 1.4 * most
	assert.True(t, run(t, c, w).Grows())
}

func TestSweepOrder(t *testing.T) {
	w := talk(0)
	w.Prefixes, w.For = 10, 40*time.Second
	s := Sweep{Config: small(1, ""), Workload: w, Replicas: []int{1, 2}, Routers: []Router{{Policy: "random"}, {Policy: "queue"}}, Loads: []float64{0.2, 0.4}}
	capacity, points, err := s.Run()
	require.NoError(t, err)
	require.Len(t, points, 8)
	for i, p := range points {
		assert.Equal(t, 1+i/4, p.Replicas)
		assert.Equal(t, []string{"random", "queue"}[i/2%2], p.Router.Policy)
		assert.InEpsilon(t, p.Load*capacity*float64(p.Replicas), p.Offered, 0.25)
	}
	s.Loads = []float64{0}
	_, _, err = s.Run()
	assert.ErrorContains(t, err, "1 replicas behind random at 0 of capacity: the phases ask for no arrival")
}

func TestRunRefuses(t *testing.T) {
	ok := small(2, "random")
	for want, change := range map[string]func(*Config){
		"a fleet of 0 replicas serves nothing":       func(c *Config) { c.Replicas = 0 },
		"max-num-seqs is not set":                    func(c *Config) { c.Server.MaxNumSeqs = 0 },
		"staleness -1ns":                             func(c *Config) { c.Router.Stale = -1 },
		`"best" is no routing policy: name one of r`: func(c *Config) { c.Router.Policy = "best" },
		`unknown model "gpt-2"`:                      func(c *Config) { c.Server.Model = "gpt-2" },
	} {
		c := ok
		change(&c)
		_, err := Run(c, &equal{})
		assert.ErrorContains(t, err, want)
	}
	o, err := Run(ok, &equal{})
	require.NoError(t, err)
	assert.Zero(t, *o, "no arrivals, no numbers")
}

// BenchmarkPick is a routing decision among n replicas.
func BenchmarkPick(b *testing.B) {
	names, _ := Policies()
	for _, policy := range names {
		for _, n := range []int{100, 1000} {
			b.Run(fmt.Sprintf("router=%s/replicas=%d", policy, n), func(b *testing.B) {
				r, err := newRouter(small(n, policy))
				require.NoError(b, err)
				rng := rand.New(rand.NewPCG(1, 1))
				for i := range r.loads {
					r.loads[i] = rng.IntN(16)
				}
				a := Arrival{Prefixes: []prefixID{{1, true}, {2, false}}}
				for b.Loop() {
					r.pick(&a, 0)
				}
			})
		}
	}
}
