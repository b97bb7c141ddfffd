package fleet

import (
	"errors"
	"math"
	"time"
)

// A Target is a load that clients are to make.
type Target struct {
	Rate   float64       // requests a second
	E2E    time.Duration // mean time from a request's start to its end
	Output float64       // mean tokens of an answer
}

// An Instance is what one client instance can measure before a metric goes
// void, as `vllmbench calibrate` says for a machine.
type Instance struct {
	Streams float64 // at a time
	Tokens  float64 // a second, of all streams
	Use     float64 // share of both that is planned with, in (0, 1]; 0 means 0.6
}

// defaultUse leaves room for bursts: the requests in flight of Poisson arrivals
// vary by their square root at least, and a row is void for its worst moment.
const defaultUse = 0.6

// A Need is how many instances a target takes, and why.
type Need struct {
	Streams   float64 // mean number of requests in flight: rate x E2E (Little's law)
	Tokens    float64 // a second: rate x output
	ByStreams float64 // instances for the streams, before rounding up
	ByTokens  float64 // instances for the tokens, before rounding up
	Instances int
}

// Plan says how many client instances a target needs.
func Plan(t Target, each Instance) (Need, error) {
	if each.Use == 0 {
		each.Use = defaultUse
	}
	positive := func(v float64) bool { return v > 0 && v < 1e12 }
	if !positive(t.Rate) || t.E2E <= 0 || !positive(t.Output) || !positive(each.Streams) || !positive(each.Tokens) || !(each.Use > 0 && each.Use <= 1) {
		return Need{}, errors.New("a plan needs rate, E2E and output of the target, and streams and tokens a second of an instance, all above 0, and a share of use up to 1")
	}
	n := Need{Streams: t.Rate * t.E2E.Seconds(), Tokens: t.Rate * t.Output}
	n.ByStreams = n.Streams / (each.Streams * each.Use)
	n.ByTokens = n.Tokens / (each.Tokens * each.Use)
	n.Instances = int(math.Ceil(max(n.ByStreams, n.ByTokens)))
	return n, nil
}
