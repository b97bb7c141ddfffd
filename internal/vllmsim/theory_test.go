package vllmsim

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var theory = flag.Int("theory", 200_000, "requests of TestQueueTheory for each load")

// oneSlot is a server that serves a request at a time, its steps one after another.
func oneSlot(t *testing.T) *Virtual {
	t.Helper()
	v, err := NewVirtual(Config{MaxNumSeqs: 1, NoAsyncScheduling: true, NoPrefixCaching: true, NumGPUBlocksOverride: 4096})
	require.NoError(t, err)
	return v
}

// A service is how many tokens requests ask for, with the first two moments of the time that takes.
type service struct {
	name         string
	output       func(*rand.Rand) int
	mean, square float64 // s, s²
}

// serve sends n Poisson arrivals and returns the mean time from arrival to end
// less the service, in seconds, and the mean that Lindley's recursion gives for the very same arrivals.
func (q service) serve(t *testing.T, load float64, n int, times map[int]float64) (wait, lindley float64) {
	v := oneSlot(t)
	r := rand.New(rand.NewPCG(7, uint64(load*1000)))
	at := make(map[uint64]time.Time, 1024)
	asked := make(map[uint64]int, 1024)
	prompt := make([]int32, theoryPrompt)
	due, free := time.Unix(0, 0), time.Unix(0, 0)
	next := func() time.Time { return due.Add(time.Duration(r.ExpFloat64() / load * q.mean * 1e9)) }
	sent, ended := 0, 0
	send := func() {
		sent++
		o := q.output(r)
		at[uint64(sent)], asked[uint64(sent)] = due, o
		v.Send(NewRequest(uint64(sent), prompt, o, ""), due)
		begin := free
		if due.After(begin) {
			begin = due
		}
		lindley += begin.Sub(due).Seconds()
		free = begin.Add(time.Duration(times[o] * 1e9))
		due = next()
	}
	for ended < n {
		for sent < n {
			begins, busy := v.Next()
			if busy && !due.Before(begins) {
				break
			}
			send()
		}
		outputs, end := v.Step()
		for _, out := range outputs {
			if out.Done {
				id := out.Request.ID
				wait += end.Sub(at[id]).Seconds() - times[asked[id]]
				delete(at, id)
				delete(asked, id)
				ended++
			}
		}
	}
	return wait / float64(n), lindley / float64(n)
}

const theoryPrompt = 16

// alone are the times that requests of 1 to most tokens take on the idle server, in seconds.
func alone(t *testing.T, most int) map[int]float64 {
	v := oneSlot(t)
	times := map[int]float64{}
	v.Send(NewRequest(1, make([]int32, theoryPrompt), most, ""), time.Unix(0, 0))
	for n := 1; n <= most; {
		outputs, end := v.Step()
		if len(outputs) > 0 {
			times[n] = end.Sub(time.Unix(0, 0)).Seconds()
			n++
		}
	}
	return times
}

// TestQueueTheory holds the scheduler with one slot against Pollaczek and
// Khinchine: Poisson arrivals wait λ E[S²] / 2(1-ρ) in the mean, for equal requests
// (M/D/1) and for outputs of geometric length, whose service is nearly exponential.
func TestQueueTheory(t *testing.T) {
	const longest, stop = 400, 1.0 / 20
	times := alone(t, longest)
	geometric := service{name: "geometric", output: func(r *rand.Rand) int { return min(1+int(r.ExpFloat64()/-math.Log(1-stop)), longest) }}
	left := 1.0
	for n := 1; n <= longest; n++ {
		p := left * stop
		if n == longest {
			p = left
		}
		left -= p
		geometric.mean += p * times[n]
		geometric.square += p * times[n] * times[n]
	}
	for _, q := range []service{{"fixed", func(*rand.Rand) int { return 1 }, times[1], times[1] * times[1]}, geometric} {
		n := *theory
		if q.name == geometric.name {
			n /= 10 // it takes 20 steps a request
		}
		for _, load := range []float64{0.5, 0.8, 0.95} {
			t.Run(fmt.Sprintf("%s/load=%v", q.name, load), func(t *testing.T) {
				t.Parallel()
				wait, lindley := q.serve(t, load, n, times)
				formula := load / q.mean * q.square / 2 / (1 - load)
				t.Logf("%d requests: mean wait %.4f ms, by Lindley's recursion %.4f ms, by the formula %.4f ms (%+.2f %%)", n, wait*1e3, lindley*1e3, formula*1e3, 100*(wait/formula-1))
				assert.InEpsilon(t, lindley, wait, 0.005)
				if n >= 2_000_000 { // fewer tell the mean wait at load 0.95 to no better than some 10 %
					assert.InEpsilon(t, formula, wait, 0.05)
				}
			})
		}
	}
}
