package vllmsim

import (
	"cmp"
	"slices"
)

// A queue holds the waiting requests, the next one first.
type queue struct {
	byPriority bool
	requests   []*Request
}

// order is by priority, where less is sooner, then by arrival.
func order(a, b *Request) int {
	return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.ID, b.ID))
}

func (q *queue) len() int { return len(q.requests) }

func (q *queue) add(r *Request) {
	at := len(q.requests)
	if q.byPriority {
		at, _ = slices.BinarySearchFunc(q.requests, r, order)
	}
	q.requests = slices.Insert(q.requests, at, r)
}

// putBack returns a preempted request: to the front, or where its priority has it.
func (q *queue) putBack(r *Request) {
	if q.byPriority {
		q.add(r)
		return
	}
	q.requests = slices.Insert(q.requests, 0, r)
}

func (q *queue) remove(at int) {
	if at == 0 { // the usual case, without moving the rest
		q.requests[0] = nil
		q.requests = q.requests[1:]
		return
	}
	q.requests = slices.Delete(q.requests, at, at+1)
}
