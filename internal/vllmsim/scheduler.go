package vllmsim

// Limits bound what the scheduler puts into a step.
type Limits struct {
	MaxNumSeqs          int  // requests running at a time
	MaxNumBatchedTokens int  // tokens computed in a step
	BlockSize           int  // tokens a KV block
	NumBlocks           int  // KV blocks on the GPU; one stays empty, and the rest must hold the longest request
	PrefixCaching       bool // share full blocks of equal prefixes

	Priority        bool // order by Request.Priority, then arrival; default by arrival alone
	WholePrompts    bool // a prompt waits until a step has room for all of it; default: prompts are cut into chunks
	FirstChunkOnly  bool // admit a request whose first chunk fits; default: only if all its tokens do
	WatermarkBlocks int  // blocks that an admission leaves free while others run

	LongPrefill         int  // most tokens that a request computes in a step if it is not alone; 0: no bound
	LongPrefillAdaptive bool // never bound it to less than a fair share of the step
}

// A Scheduler decides, step by step, which requests compute how many tokens.
//
// It does not know prefill from decode: a request has tokens, some of which
// are computed, and each step lets it catch up as far as the budget allows. A
// prompt is many tokens behind, a decoding request is one.
//
// A step may be scheduled while the one before is still in flight: a request
// then counts the token to come as its own. Finish takes steps in the order of
// their schedules.
//
// It has no clock and starts no goroutines; it is not safe for concurrent use.
type Scheduler struct {
	limits  Limits
	pool    *blockPool
	waiting queue
	running []*Request // in the order of admission
	most    int        // tokens a request may compute in this step

	batch   *Batch
	batches [maxInFlight]Batch
	steps   int
	outputs []Output
}

// maxInFlight is how many steps may be scheduled and not finished: one that
// runs and, with asynchronous scheduling, the next.
const maxInFlight = 2

// NewScheduler returns a scheduler without requests.
func NewScheduler(limits Limits) *Scheduler {
	return &Scheduler{limits: limits, pool: newBlockPool(limits.NumBlocks - 1), waiting: queue{byPriority: limits.Priority}}
}

// A Batch is what one step computes. It is valid until the next Schedule but one.
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

// Add queues r.
func (s *Scheduler) Add(r *Request) { s.waiting.add(r) }

// Schedule plans the next step: first the running requests, so that nobody's
// tokens stall for a newcomer, then as many of the waiting as fit, in order.
// With no step in flight, the batch is empty only when there are no requests.
func (s *Scheduler) Schedule() Batch {
	s.batch = &s.batches[s.steps%maxInFlight]
	s.steps++
	*s.batch = Batch{Work: s.batch.Work[:0], Admitted: s.batch.Admitted[:0], Preempted: s.batch.Preempted[:0]}
	s.most = s.mostForOne()
	s.continueRunning()
	if len(s.batch.Preempted) == 0 { // blocks are short: admitting now would only preempt again
		s.admitWaiting()
	}
	for _, w := range s.batch.Work {
		w.Request.launch(w)
	}
	return *s.batch
}

// mostForOne bounds what one request computes, so that a long prompt leaves
// room for others, if there are any.
func (s *Scheduler) mostForOne() int {
	l := s.limits
	requests := len(s.running) + s.waiting.len()
	switch {
	case l.LongPrefill == 0 || requests <= 1:
		return l.MaxNumBatchedTokens
	case l.LongPrefillAdaptive:
		return max(l.LongPrefill, l.MaxNumBatchedTokens/requests)
	}
	return l.LongPrefill
}

func (s *Scheduler) continueRunning() {
	for i := 0; i < len(s.running) && s.budget() > 0; i++ {
		r := s.running[i]
		if r.lastInFlight() {
			continue
		}
		n := min(r.behind(), s.most, s.budget())
		if n == 0 {
			continue
		}
		for !s.reserve(r, r.computed+n) {
			at := s.victim()
			victim := s.running[at]
			s.preempt(at)
			if victim == r {
				return
			}
			if at < i {
				i--
			}
		}
		s.plan(r, n)
	}
}

func (s *Scheduler) admitWaiting() {
	for at := 0; at < s.waiting.len() && s.budget() > 0 && len(s.running) < s.limits.MaxNumSeqs; {
		r := s.waiting.requests[at]
		if r.stale > 0 { // its last token before the preemption is still to come
			at++
			continue
		}
		shared := s.cachedPrefix(r)
		cached := len(shared) * s.limits.BlockSize
		n := min(r.Tokens()-cached, s.most)
		if s.limits.WholePrompts && n > s.budget() {
			return
		}
		n = min(n, s.budget())
		if !s.fits(r, shared, cached+n) {
			return // in order: a smaller request behind r does not overtake it
		}
		s.waiting.remove(at)
		s.running = append(s.running, r)
		s.admit(r, shared)
		s.reserve(r, r.computed+n)
		s.plan(r, n)
	}
}

// admit begins or resumes r, whose first blocks others have computed.
func (s *Scheduler) admit(r *Request, shared []*block) {
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
}

// plan puts n tokens of r into the batch. The blocks that they fill are
// published at once: whoever shares them runs in this step or a later one.
func (s *Scheduler) plan(r *Request, n int) {
	s.batch.Work = append(s.batch.Work, Work{Request: r, Context: r.computed, Tokens: n, Sample: n == r.behind()})
	s.batch.Tokens += n
	s.publish(r, min(r.computed+n, r.Tokens()))
}

// Finish ends the earliest step in flight, which b planned, and returns the
// tokens that it generated. They are valid until the next Finish.
func (s *Scheduler) Finish(b Batch) []Output {
	s.outputs = s.outputs[:0]
	ended := false
	for _, w := range b.Work {
		r := w.Request
		r.land(w)
		if r.ended || !w.Sample { // ended: aborted during the step
			continue
		}
		r.Generated++
		if r.running {
			s.publish(r, r.computed-r.pending)
		}
		done := r.Generated >= r.MaxTokens
		if done {
			s.end(r)
			ended = true
		}
		s.outputs = append(s.outputs, Output{Request: r, First: r.Generated == 1, Done: done})
	}
	if ended {
		s.dropEnded()
	}
	return s.outputs
}

func (s *Scheduler) budget() int { return s.limits.MaxNumBatchedTokens - s.batch.Tokens }

// Running returns how many requests run.
func (s *Scheduler) Running() int { return len(s.running) }

// Waiting returns how many requests wait.
func (s *Scheduler) Waiting() int { return s.waiting.len() }

// Idle reports whether there is nothing to do.
func (s *Scheduler) Idle() bool { return len(s.running)+s.waiting.len() == 0 }
