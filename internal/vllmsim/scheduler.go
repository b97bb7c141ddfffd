package vllmsim

import "slices"

// Limits bound what the scheduler puts into a step.
type Limits struct {
	MaxNumSeqs          int  // requests running at a time
	MaxNumBatchedTokens int  // tokens computed in a step
	BlockSize           int  // tokens a KV block
	NumBlocks           int  // KV blocks on the GPU; must hold the longest request
	PrefixCaching       bool // share full blocks of equal prefixes
}

// A Scheduler decides, step by step, which requests compute how many tokens.
//
// It does not know prefill from decode: a request has tokens, some of which
// are computed, and each step lets it catch up as far as the budget allows. A
// prompt is many tokens behind, a decoding request is one.
//
// It has no clock and starts no goroutines; it is not safe for concurrent use.
type Scheduler struct {
	limits  Limits
	pool    *blockPool
	waiting []*Request
	running []*Request // in the order of admission: the last is preempted first
	batch   Batch
	outputs []Output
}

// NewScheduler returns a scheduler without requests.
func NewScheduler(limits Limits) *Scheduler {
	return &Scheduler{limits: limits, pool: newBlockPool(limits.NumBlocks)}
}

// A Batch is what one step computes. It is valid until the next Schedule.
type Batch struct {
	Work      []Work
	Admitted  []*Request // began or resumed in this step
	Preempted []*Request // lost their blocks to others, and wait again
	Tokens    int        // sum over Work
}

// Work is one request's part of a step.
type Work struct {
	Request *Request
	Context int  // tokens computed before
	Tokens  int  // tokens to compute now
	Sample  bool // catches up with its tokens, so that the step generates the next one
}

// An Output is a token that a step has generated.
type Output struct {
	Request *Request
	First   bool
	Done    bool // it was the last
}

// Add puts r at the end of the queue.
func (s *Scheduler) Add(r *Request) { s.waiting = append(s.waiting, r) }

// Abort removes the request and frees its blocks. It reports whether the
// request was there.
func (s *Scheduler) Abort(id uint64) bool {
	is := func(r *Request) bool { return r.ID == id }
	if i := slices.IndexFunc(s.running, is); i >= 0 {
		s.free(s.running[i])
		s.running = slices.Delete(s.running, i, i+1)
		return true
	}
	n := len(s.waiting)
	s.waiting = slices.DeleteFunc(s.waiting, is)
	return len(s.waiting) < n
}

// Schedule plans the next step: first the running requests, so that nobody's
// tokens stall for a newcomer, then as many of the waiting as fit, in order.
// The batch is empty only when there are no requests.
func (s *Scheduler) Schedule() Batch {
	s.batch = Batch{Work: s.batch.Work[:0], Admitted: s.batch.Admitted[:0], Preempted: s.batch.Preempted[:0]}
	s.continueRunning()
	if len(s.batch.Preempted) == 0 { // blocks are short: admitting now would only preempt again
		s.admitWaiting()
	}
	return s.batch
}

func (s *Scheduler) continueRunning() {
	for i := 0; i < len(s.running) && s.budget() > 0; i++ {
		r := s.running[i]
		n := min(r.Tokens()-r.computed, s.budget())
		for !s.reserve(r, r.computed+n) {
			victim := s.running[len(s.running)-1]
			s.preempt(victim)
			if victim == r {
				return
			}
		}
		s.plan(r, n)
	}
}

func (s *Scheduler) admitWaiting() {
	for len(s.waiting) > 0 && s.budget() > 0 && len(s.running) < s.limits.MaxNumSeqs {
		r := s.waiting[0]
		shared := s.cachedPrefix(r)
		if !s.fits(r, shared) {
			return // in order: a smaller request behind r does not overtake it
		}
		s.waiting = s.waiting[1:]
		s.running = append(s.running, r)
		r.running = true
		for _, b := range shared {
			s.pool.share(b)
		}
		r.blocks = append(r.blocks, shared...)
		r.published = len(shared)
		r.computed = len(shared) * s.limits.BlockSize
		if r.Preemptions == 0 {
			r.Cached = r.computed
		}
		s.batch.Admitted = append(s.batch.Admitted, r)

		n := min(r.Tokens()-r.computed, s.budget())
		s.reserve(r, r.computed+n)
		s.plan(r, n)
	}
}

// plan puts n tokens of r into the batch. The blocks that they fill are
// published at once: whoever shares them runs in this step or a later one.
func (s *Scheduler) plan(r *Request, n int) {
	upTo := r.computed + n
	s.batch.Work = append(s.batch.Work, Work{Request: r, Context: r.computed, Tokens: n, Sample: upTo == r.Tokens()})
	s.batch.Tokens += n
	if !s.limits.PrefixCaching {
		return
	}
	full := upTo / s.limits.BlockSize
	r.hashTo(full, s.limits.BlockSize)
	for ; r.published < full; r.published++ {
		s.pool.publish(r.blocks[r.published], r.hashes[r.published])
	}
}

// preempt takes all blocks from r, the last of the running, and puts it at the
// front of the queue. Its tokens stay; their keys and values are computed again.
func (s *Scheduler) preempt(r *Request) {
	s.running = s.running[:len(s.running)-1]
	s.free(r)
	r.Preemptions++
	s.waiting = slices.Insert(s.waiting, 0, r)
	s.batch.Preempted = append(s.batch.Preempted, r)
}

// Finish ends the step that b planned, and returns the tokens that it
// generated. They are valid until the next Finish.
func (s *Scheduler) Finish(b Batch) []Output {
	s.outputs = s.outputs[:0]
	for _, w := range b.Work {
		r := w.Request
		if !r.running { // aborted during the step
			continue
		}
		r.computed += w.Tokens
		if !w.Sample {
			continue
		}
		r.Generated++
		done := r.Generated >= r.MaxTokens
		if done {
			s.free(r)
		}
		s.outputs = append(s.outputs, Output{Request: r, First: r.Generated == 1, Done: done})
	}
	s.running = slices.DeleteFunc(s.running, func(r *Request) bool { return !r.running })
	return s.outputs
}

func (s *Scheduler) budget() int { return s.limits.MaxNumBatchedTokens - s.batch.Tokens }

// Running returns how many requests run.
func (s *Scheduler) Running() int { return len(s.running) }

// Waiting returns how many requests wait.
func (s *Scheduler) Waiting() int { return len(s.waiting) }

// Idle reports whether there is nothing to do.
func (s *Scheduler) Idle() bool { return len(s.running)+len(s.waiting) == 0 }
