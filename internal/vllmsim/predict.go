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
	r := &rehearsal{Virtual: newVirtual(s), load: load, streams: make(map[uint64]*rehearsed)}
	for range load.Streams {
		r.send(time.Unix(0, 0), 0)
	}
	for len(r.streams) > 0 {
		outputs, _ := r.Step()
		for _, out := range outputs {
			r.token(out)
		}
	}
	return r.prediction(), nil
}

// A rehearsal is a load on its way.
type rehearsal struct {
	*Virtual
	load    Load
	nextID  uint64
	streams map[uint64]*rehearsed

	ttfts, itls  []time.Duration
	began, ended time.Time // from the first request's end to that of the first stream
	tokens       int       // in between
}

// A rehearsed is a request of one stream.
type rehearsed struct {
	round     int
	sent, end time.Time // end: of its newest token
}

// send starts a stream's request of that round.
func (r *rehearsal) send(at time.Time, round int) {
	r.nextID++
	r.streams[r.nextID] = &rehearsed{round: round, sent: at}
	r.Send(NewRequest(r.nextID, make([]int32, r.load.Prompt), r.load.Output, ""), at)
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
		delete(r.streams, out.Request.ID)
		r.next(q)
	}
}

// next ends q and starts its stream's next request.
func (r *rehearsal) next(q *rehearsed) {
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
