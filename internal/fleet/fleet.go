// Package fleet simulates many replicas of the embedded server behind a router.
//
// Each replica is vllmsim's own scheduler on a clock of its own; all of them and
// the arrivals share one heap of events. A simulation is one goroutine's work, so
// that the same seed gives the same times to the nanosecond; different
// simulations run beside each other.
package fleet

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"vllmbench/internal/slo"
	"vllmbench/internal/vllmsim"
)

// A Config describes a fleet.
type Config struct {
	Replicas int            // that serve
	Server   vllmsim.Config // of each; MaxNumSeqs must be set
	Router   Router         // in front of them
	SLO      slo.SLO        // that goodput counts by; the zero value is met by every request

	// Warmup is how long arrivals are not counted: caches fill and queues find
	// their length. Default none.
	Warmup time.Duration
}

// A Router decides which replica has a request.
type Router struct {
	Policy string // one of Policies

	// Stale is how often the router sees the requests in flight of the replicas.
	// In between it knows what it saw, as one that scrapes metrics, or one of many
	// routers. Default: it always knows.
	Stale time.Duration

	// Bound is how far beyond the mean load a replica may be before prefix-aware
	// routing passes it over: consistent hashing with bounded loads (Mirrokni,
	// Thorup, Zadimoghaddam 2018) calls it c. Default 1.25.
	Bound float64

	// Remember is how long the router believes that a replica has a prefix which
	// was sent there. Default 1 minute.
	Remember time.Duration

	Seed uint64 // of what it draws
}

// ParseRouter reads a policy's name, or "NAME@STALE" as in least-loaded@500ms.
func ParseRouter(text string) (Router, error) {
	name, stale, found := strings.Cut(text, "@")
	r := Router{Policy: name}
	if names, _ := Policies(); !slices.Contains(names, name) {
		return r, fmt.Errorf("%q is no routing policy: name one of %s", name, strings.Join(names, ", "))
	}
	if found {
		var err error
		if r.Stale, err = time.ParseDuration(stale); err != nil || r.Stale <= 0 {
			return r, fmt.Errorf("the router %q has no staleness behind its @: write a time above 0, as in %s@500ms", text, name)
		}
	}
	return r, nil
}

// String is the text that ParseRouter reads.
func (r Router) String() string {
	if r.Stale == 0 {
		return r.Policy
	}
	return r.Policy + "@" + r.Stale.String()
}

const (
	defaultBound    = 1.25
	defaultRemember = time.Minute
)

func (c Config) check() error {
	switch {
	case c.Replicas < 1:
		return fmt.Errorf("a fleet of %d replicas serves nothing: name 1 or more", c.Replicas)
	case c.Server.MaxNumSeqs < 1:
		return errors.New("the replicas' max-num-seqs is not set: a router that queues has to know it")
	case c.Warmup < 0 || c.Router.Stale < 0 || c.Router.Remember < 0:
		return fmt.Errorf("warm-up is %v, staleness %v and memory %v: all must be 0 or more", c.Warmup, c.Router.Stale, c.Router.Remember)
	}
	return nil
}

// Run serves the arrivals and waits for the last of them. The error says which
// setting cannot work.
func Run(c Config, arrivals Arrivals) (*Outcome, error) {
	f, err := newFleet(c, arrivals)
	if err != nil {
		return nil, err
	}
	f.run()
	return f.stats.outcome(c.Replicas), nil
}
