package vllmsim

import "slices"

// victim returns the index of the running request that is preempted next: the
// last admitted or, by priority, the least important and of these the youngest.
func (s *Scheduler) victim() int {
	last := len(s.running) - 1
	if !s.limits.Priority {
		return last
	}
	for i, r := range s.running {
		if order(r, s.running[last]) > 0 {
			last = i
		}
	}
	return last
}

// preempt takes all blocks from a running request, and lets it wait again. Its
// tokens stay; their keys and values are computed again. Only by priority may
// it be in the batch already, and then leaves it.
func (s *Scheduler) preempt(at int) {
	r := s.running[at]
	s.running = slices.Delete(s.running, at, at+1)
	if i := slices.IndexFunc(s.batch.Work, func(w Work) bool { return w.Request == r }); i >= 0 {
		s.batch.Tokens -= s.batch.Work[i].Tokens
		s.batch.Work = slices.Delete(s.batch.Work, i, i+1)
	}
	s.free(r)
	r.stale, r.pending = r.inFlight, 0
	r.Preemptions++
	s.waiting.putBack(r)
	s.batch.Preempted = append(s.batch.Preempted, r)
}

// Abort removes the request and frees its blocks. It reports whether the
// request was there.
func (s *Scheduler) Abort(id uint64) bool {
	for _, requests := range [][]*Request{s.running, s.waiting.requests} {
		i := slices.IndexFunc(requests, func(r *Request) bool { return r.ID == id })
		if i >= 0 {
			s.end(requests[i])
			s.dropEnded()
			return true
		}
	}
	return false
}

// end frees what a finished or aborted request holds. A finished one may wait:
// preempted, and finished by the token of a step that was in flight then.
func (s *Scheduler) end(r *Request) {
	if !r.running {
		s.waiting.remove(slices.Index(s.waiting.requests, r))
	}
	s.free(r)
	r.ended = true
}

// dropEnded forgets the running requests that have ended.
func (s *Scheduler) dropEnded() {
	s.running = slices.DeleteFunc(s.running, func(r *Request) bool { return r.ended })
}
