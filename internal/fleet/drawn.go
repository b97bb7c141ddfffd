package fleet

import (
	"container/heap"
	"math/rand/v2"
	"slices"
	"time"

	"vllmbench/internal/load"
	"vllmbench/internal/vllmsim"
)

// drawn are arrivals that are drawn one at a time, since prompts take memory.
type drawn struct {
	Workload
	schedule      load.Schedule
	rng           *rand.Rand
	popularity    []float64 // sums of the prefixes' weights
	ready         turns     // of conversations that go on
	conversations int
}

// Next implements Arrivals. Arrivals are dealt to conversations whose users have
// thought, and open new ones when there are none.
func (d *drawn) Next() (Arrival, bool) {
	if len(d.schedule) == 0 {
		return Arrival{}, false
	}
	a := Arrival{At: d.schedule[0]}
	d.schedule = d.schedule[1:]
	var prompt []int32
	if len(d.ready) > 0 && d.ready[0].ready <= a.At {
		before := heap.Pop(&d.ready).(turn)
		a.Prefixes = before.prefixes
		prompt = history(before.request)
	} else {
		prompt = d.open(&a)
	}
	prompt = append(prompt, d.tokens(max(1, d.Prompt.draw(d.rng)), d.rng)...)
	a.Request = vllmsim.NewRequest(0, prompt, max(1, d.Output.draw(d.rng)), "")
	d.goOn(a)
	return a, true
}

// open begins a conversation, and returns its shared prefix.
func (d *drawn) open(a *Arrival) (prompt []int32) {
	d.conversations++
	a.Prefixes = []prefixID{{d.conversations, true}}
	if d.Workload.Prefixes == 0 {
		return nil
	}
	sum := d.popularity[len(d.popularity)-1]
	number, _ := slices.BinarySearch(d.popularity, sum*d.rng.Float64())
	a.Prefixes = append(a.Prefixes, prefixID{number: number})
	own := rand.New(rand.NewPCG(d.Seed, uint64(number)<<8|3)) // the same each time
	return d.tokens(d.Prefix.draw(own), own)
}

// tokens are the ids of n tokens.
func (d *drawn) tokens(n int, rng *rand.Rand) []int32 {
	out := make([]int32, n, n+int(d.Prompt.Median)*2)
	for i := range out {
		out[i] = rng.Int32N(1 << 16)
	}
	return out
}

// history is a prompt and the answer to it.
func history(r *vllmsim.Request) []int32 {
	prompt := slices.Grow(slices.Clone(r.Prompt), r.MaxTokens)
	for i := range r.MaxTokens {
		prompt = append(prompt, r.Output(i))
	}
	return prompt
}

// goOn decides whether and from when the conversation goes on.
func (d *drawn) goOn(a Arrival) {
	tokens := len(a.Request.Prompt) + a.Request.MaxTokens
	if d.rng.Float64() >= 1-1/d.Turns || d.Context > 0 && tokens >= d.Context {
		return
	}
	half := float64(d.Think) / 2
	heap.Push(&d.ready, turn{a.At + time.Duration(half+half*d.rng.ExpFloat64()), a.Request, a.Prefixes})
}

// A turn is what the next one of its conversation needs.
type turn struct {
	ready    time.Duration
	request  *vllmsim.Request
	prefixes []prefixID
}

// turns are a heap by the time from which they may come.
type turns []turn

func (t turns) Len() int           { return len(t) }
func (t turns) Less(i, j int) bool { return t[i].ready < t[j].ready }
func (t turns) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t *turns) Push(x any)        { *t = append(*t, x.(turn)) }
func (t *turns) Pop() any {
	last := (*t)[len(*t)-1]
	*t = (*t)[:len(*t)-1]
	return last
}
