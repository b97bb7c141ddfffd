package vllmsim

import (
	"slices"
	"time"
)

// A Load is a closed loop of equal requests that share no prefix.
type Load struct {
	Streams int // requests in flight
	Prompt  int // tokens a request
	Output  int // tokens a request
	Rounds  int // requests of each stream that count, after one that does not
}

// A Prediction is what the streams of a load would see.
type Prediction struct {
	TTFT         time.Duration // median, from a request's start to its first token
	ITL          time.Duration // median, from token to token; 0 if there are none
	TokensPerSec float64       // of output, by all streams
}

// Predict runs a load through the scheduler on a clock of its own, as fast as
// it can. The error is New's: why the configuration cannot work.
func Predict(c Config, load Load) (Prediction, error) {
	c.NoPrefixCaching = true // which would only cost time
	s, err := c.resolve()
	if err != nil {
		return Prediction{}, err
	}
	if most := 1 + load.Streams*(load.Prompt+load.Output+s.BlockSize)/s.BlockSize; s.Limits.NumBlocks > most {
		s.Limits.NumBlocks = most // more would only be set up and never used
	}
	r := &rehearsal{pipeline: newPipeline(s), load: load, latency: s.Timing.Latency, door: door{each: s.Timing.Request}, streams: make(map[uint64]*rehearsed)}
	for range load.Streams {
		r.send(time.Unix(0, 0), 0)
	}
	for len(r.streams) > 0 {
		r.step()
	}
	return r.prediction(), nil
}

// A rehearsal is a load on its way.
type rehearsal struct {
	pipeline
	load    Load
	latency time.Duration
	nextID  uint64
	coming  []*rehearsed // sent, in order
	door    door
	inside  []*rehearsed // the door
	queue   []*rehearsed // through it, in order
	streams map[uint64]*rehearsed

	ttfts, itls  []time.Duration
	began, ended time.Time // from the first request's end to that of the first stream
	tokens       int       // in between
}

// A rehearsed is a request of one stream.
type rehearsed struct {
	*Request
	*visit
	round             int
	sent, queued, end time.Time // end: of its newest token
}

// send starts a stream's request of that round.
func (r *rehearsal) send(at time.Time, round int) {
	r.nextID++
	q := &rehearsed{Request: NewRequest(r.nextID, make([]int32, r.load.Prompt), r.load.Output, ""), round: round, sent: at}
	r.coming = append(r.coming, q)
	r.streams[q.ID] = q
}

// receive lets the API server have what was sent by then, and works until then.
func (r *rehearsal) receive(by time.Time) {
	for len(r.coming) > 0 && !r.coming[0].sent.After(by) {
		q := r.coming[0]
		r.coming = r.coming[1:]
		q.visit = r.door.enter(q.sent)
		r.inside = append(r.inside, q)
	}
	r.door.advance(by)
	for len(r.inside) > 0 && !r.inside[0].through.IsZero() {
		q := r.inside[0]
		r.inside = r.inside[1:]
		q.queued = q.through.Add(r.latency)
		r.queue = append(r.queue, q)
	}
}

// nextAtDoor is when the next thing happens at the door: a request goes, or comes.
func (r *rehearsal) nextAtDoor() time.Time {
	if len(r.inside) == 0 {
		return r.coming[0].sent
	}
	out := r.door.expected(r.inside[0].visit)
	if len(r.coming) > 0 && r.coming[0].sent.Before(out) {
		return r.coming[0].sent
	}
	return out
}

// step does what the engine does between two looks at its inbox.
func (r *rehearsal) step() {
	idle := len(r.inFlight) == 0 && r.sched.Idle()
	for idle && len(r.queue) == 0 {
		r.receive(r.nextAtDoor())
	}
	if idle && r.clock.Before(r.queue[0].queued) {
		r.clock = r.queue[0].queued
	}
	r.receive(r.clock)
	for len(r.queue) > 0 && !r.queue[0].queued.After(r.clock) {
		r.sched.Add(r.queue[0].Request)
		r.queue = r.queue[1:]
	}
	if r.launch(r.sched.Schedule()) && !r.full() {
		return
	}
	if len(r.inFlight) == 0 {
		return
	}
	for _, out := range r.sched.Finish(r.land().batch) {
		r.token(out)
	}
}

// token hands a token to its client.
func (r *rehearsal) token(out Output) {
	q := r.streams[out.Request.ID]
	if !r.began.IsZero() && r.ended.IsZero() {
		r.tokens++
	}
	switch {
	case q.round == 0:
	case out.First:
		r.ttfts = append(r.ttfts, r.clock.Sub(q.sent))
	default:
		r.itls = append(r.itls, r.clock.Sub(q.end))
	}
	if q.end = r.clock; out.Done {
		r.next(q)
	}
}

// next ends q and starts its stream's next request.
func (r *rehearsal) next(q *rehearsed) {
	delete(r.streams, q.ID)
	if r.began.IsZero() {
		r.began = q.end
	}
	if q.round < r.load.Rounds {
		r.send(q.end, q.round+1)
	} else if r.ended.IsZero() {
		r.ended = q.end
	}
}

func (r *rehearsal) prediction() Prediction {
	p := Prediction{TTFT: median(r.ttfts), ITL: median(r.itls)}
	if d := r.ended.Sub(r.began); d > 0 {
		p.TokensPerSec = float64(r.tokens) / d.Seconds()
	}
	return p
}

// median sorts d and returns its upper median, or 0 of none.
func median(d []time.Duration) time.Duration {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[len(d)/2]
}
