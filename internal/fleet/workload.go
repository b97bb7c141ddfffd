package fleet

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"vllmbench/internal/load"
	"vllmbench/internal/vllmsim"
)

// An Arrival is a request and when it comes to the router.
type Arrival struct {
	At      time.Duration // since the start
	Request *vllmsim.Request

	// Prefixes are what the prompt begins with and others may have sent, the
	// longest first: the conversation so far, the shared prefix.
	Prefixes []prefixID
}

// A prefixID names a shared prefix or a conversation.
type prefixID struct {
	number       int
	conversation bool
}

// Arrivals come in order.
type Arrivals interface {
	// Next returns the next arrival, or false after the last.
	Next() (Arrival, bool)
}

// Lengths are lognormal numbers of tokens.
type Lengths struct {
	Median float64 // tokens; 0 for none at all
	Sigma  float64 // standard deviation of the logarithm; 0 makes all equal
	Most   int     // longer ones are cut to this; 0 for no bound
}

func (l Lengths) draw(rng *rand.Rand) int {
	n := int(math.Round(l.Median * math.Exp(l.Sigma*rng.NormFloat64())))
	if l.Most > 0 {
		n = min(n, l.Most)
	}
	return n
}

func (l Lengths) check(name string) error {
	if !(l.Median >= 0 && l.Median <= 1<<20 && l.Sigma >= 0 && l.Sigma <= 3) || l.Most < 0 {
		return fmt.Errorf("%s lengths have a median of %v tokens, a sigma of %v and a bound of %d: the median is 0 to %d, sigma 0 to 3, the bound 0 or more", name, l.Median, l.Sigma, l.Most, 1<<20)
	}
	return nil
}

// A Workload describes the arrivals of all users together.
//
// A request opens a conversation or continues one. The first prompt of a
// conversation is a shared prefix (a system prompt) and the user's text; a later
// one is the prompt before, the answer to it and the user's next text. When the
// next turn comes does not depend on when the answer came, so that all fleets
// of a comparison see the same arrivals.
type Workload struct {
	Rate       float64       // requests a second
	For        time.Duration // length of the schedule
	Burstiness float64       // of the gaps, as in load.Arrivals; 0 means Poisson

	Prompt Lengths // of the user's text in each turn, at least one token
	Output Lengths // of the answers, at least one token

	Prefix   Lengths // of the shared prefixes
	Prefixes int     // how many there are; 0 for none
	Zipf     float64 // the k-th most popular has a share that goes with 1/k^Zipf; 0 makes all equal

	Turns   float64       // mean number of a conversation's turns (geometric), at least 1; 0 means 1
	Think   time.Duration // mean time from a turn to the next (exponential, and at least half of it); 0 means 20 s
	Context int           // no turn follows when prompt and answer have reached this many tokens; 0 for no bound

	Seed uint64
}

const defaultThink = 20 * time.Second

func (w Workload) check() error {
	if w.Prefixes < 0 || w.Zipf < 0 || w.Zipf > 10 || w.Turns < 0 || w.Turns > 1000 || w.Think < 0 {
		return errors.New("prefixes, Zipf exponent (at most 10), turns (at most 1000) and think time must be 0 or more")
	}
	return errors.Join(w.Prompt.check("prompt"), w.Output.check("output"), w.Prefix.check("prefix"))
}

// Arrivals draws the workload. The same seed gives the same arrivals.
func (w Workload) Arrivals() (Arrivals, error) {
	if err := w.check(); err != nil {
		return nil, err
	}
	schedule, err := load.Arrivals{Phases: []load.Phase{{From: w.Rate, To: w.Rate, For: w.For}}, Burstiness: w.Burstiness, Seed: w.Seed}.Schedule()
	if err != nil {
		return nil, err
	}
	if w.Turns == 0 {
		w.Turns = 1
	}
	if w.Think == 0 {
		w.Think = defaultThink
	}
	d := &drawn{Workload: w, schedule: schedule, rng: rand.New(rand.NewPCG(w.Seed, 2))}
	sum := 0.0
	for k := range w.Prefixes {
		sum += math.Pow(float64(k+1), -w.Zipf)
		d.popularity = append(d.popularity, sum)
	}
	return d, nil
}
