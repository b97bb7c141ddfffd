package fleet

import (
	"math"
	"time"
)

// holders are the replicas that prefixes were sent to, by the prefix. The router
// does not ask replicas what they have cached: it remembers, as routers with a
// radix tree of their own do, and is wrong where a replica has evicted something.
type holders map[prefixID][]holder

type holder struct {
	replica int
	sent    time.Duration // at last
}

// prefix sends a request where the longest part of its prompt was sent before:
// the conversation so far, else the shared prefix. A replica beyond the bound is
// passed over, and the one chosen instead becomes a holder too, so that a popular
// prefix spreads as its load asks for.
func (r *router) prefix(a *Arrival, now time.Duration) int {
	return r.longest(a, now, r.bound())
}

// affinity is prefix without the bound: a prefix stays where it was sent first.
func (r *router) affinity(a *Arrival, now time.Duration) int { return r.longest(a, now, math.MaxInt) }

func (r *router) longest(a *Arrival, now time.Duration, bound int) int {
	chosen := waits
	for _, id := range a.Prefixes {
		if chosen = r.holder(id, bound, now); chosen != waits {
			break
		}
	}
	if chosen == waits {
		chosen = r.twoChoices(a, now)
	}
	for _, id := range a.Prefixes {
		r.holders.note(id, chosen, now)
	}
	return chosen
}

// bound is the most requests in flight that a holder may have. At least one is
// allowed, and the next one counts into the mean.
func (r *router) bound() int {
	sum := 1
	for _, load := range r.seen {
		sum += load
	}
	return int(math.Ceil(r.Bound * float64(sum) / float64(len(r.seen))))
}

// holder is the least loaded replica below the bound that has the prefix, of
// equals the one that had it last; or waits. It forgets those of long ago.
func (r *router) holder(id prefixID, bound int, now time.Duration) int {
	all := r.holders[id]
	kept := all[:0]
	best := holder{replica: waits}
	for _, h := range all {
		if now-h.sent > r.Remember {
			continue
		}
		kept = append(kept, h)
		load := r.seen[h.replica]
		if load >= bound {
			continue
		}
		if best.replica == waits || load < r.seen[best.replica] || load == r.seen[best.replica] && h.sent > best.sent {
			best = h
		}
	}
	if len(kept) == 0 {
		delete(r.holders, id)
	} else {
		r.holders[id] = kept
	}
	return best.replica
}

// note remembers that the prefix was sent to a replica. Of a conversation only
// the last replica has all of it.
func (h holders) note(id prefixID, replica int, now time.Duration) {
	all := h[id]
	if id.conversation {
		all = all[:0]
	}
	for i := range all {
		if all[i].replica == replica {
			all[i].sent = now
			return
		}
	}
	h[id] = append(all, holder{replica, now})
}
