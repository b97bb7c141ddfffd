package fleet

import (
	"math/rand/v2"
	"slices"
	"time"
)

// A router is what stands before the replicas, and what it knows of them.
type router struct {
	Router
	policy  policy
	slots   int           // requests that a replica runs at a time
	loads   []int         // requests in flight, by replica
	seen    []int         // what the policy sees of them: loads itself, or an older copy
	next    time.Duration // when the copy is made anew
	turn    int           // of round robin
	rng     *rand.Rand
	waiting []*flight // with no replica yet
	holders holders
}

// A policy chooses the replica of a request, or waits.
type policy func(r *router, a *Arrival, now time.Duration) int

// waits is the choice to leave a request in the router.
const waits = -1

type namedPolicy struct {
	name, means string
	policy      policy
}

func policies() []namedPolicy {
	return []namedPolicy{
		{"round-robin", "the next replica", (*router).roundRobin},
		{"random", "any replica", (*router).random},
		{"two-choices", "of two random ones, that with fewer requests in flight", (*router).twoChoices},
		{"least-loaded", "the one with the fewest requests in flight", (*router).leastLoaded},
		{"prefix", "of those that were sent the longest prefix, the least loaded within a bound; else two choices", (*router).prefix},
		{"affinity", "the same without the bound", (*router).affinity},
		{"queue", "the least loaded with a free slot; else the request waits in the router for one", (*router).queue},
	}
}

// Policies are the names of the routing policies, each with its meaning.
func Policies() (names, meanings []string) {
	for _, p := range policies() {
		names, meanings = append(names, p.name), append(meanings, p.means)
	}
	return names, meanings
}

func newRouter(c Config) (*router, error) {
	if _, err := ParseRouter(c.Router.Policy); err != nil {
		return nil, err
	}
	names, _ := Policies()
	i := slices.Index(names, c.Router.Policy)
	r := &router{
		Router: c.Router, policy: policies()[i].policy, slots: c.Server.MaxNumSeqs, loads: make([]int, c.Replicas),
		rng: rand.New(rand.NewPCG(c.Router.Seed, 1)), holders: make(holders),
	}
	if r.Bound == 0 {
		r.Bound = defaultBound
	}
	if r.Remember == 0 {
		r.Remember = defaultRemember
	}
	r.seen = r.loads
	if r.Stale > 0 {
		r.seen = make([]int, c.Replicas)
	}
	return r, nil
}

// refresh lets the router see the loads, which are those before now, if it is time.
func (r *router) refresh(now time.Duration) {
	if r.Stale > 0 && now >= r.next {
		copy(r.seen, r.loads)
		r.next = now - now%r.Stale + r.Stale
	}
}

func (r *router) pick(a *Arrival, now time.Duration) int { return r.policy(r, a, now) }

func (r *router) roundRobin(*Arrival, time.Duration) int {
	i := r.turn
	r.turn = (r.turn + 1) % len(r.loads)
	return i
}

func (r *router) random(*Arrival, time.Duration) int { return r.rng.IntN(len(r.loads)) }

// twoChoices is the power of two choices (Mitzenmacher 2001): two different replicas.
func (r *router) twoChoices(*Arrival, time.Duration) int {
	n := len(r.loads)
	if n == 1 {
		return 0
	}
	i, j := r.rng.IntN(n), r.rng.IntN(n-1)
	if j >= i {
		j++
	}
	if r.seen[j] < r.seen[i] {
		return j
	}
	return i
}

func (r *router) leastLoaded(*Arrival, time.Duration) int { return r.least(r.seen) }

// least draws among equals, each as likely as the others (reservoir sampling),
// so that no replica is preferred for its number.
func (r *router) least(loads []int) int {
	best, equals := 0, 0
	for i, load := range loads {
		switch {
		case equals == 0 || load < loads[best]:
			best, equals = i, 1
		case load == loads[best]:
			if equals++; r.rng.IntN(equals) == 0 {
				best = i
			}
		}
	}
	return best
}

// queue leaves requests in the router while no replica has a free slot. It
// counts what it sent itself, so that staleness does not apply.
func (r *router) queue(*Arrival, time.Duration) int {
	best := r.least(r.loads)
	if r.loads[best] >= r.slots {
		return waits
	}
	return best
}
