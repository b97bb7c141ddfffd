package measure

import (
	"fmt"
	"slices"
	"time"

	"vllmbench/client"
)

// void returns why the row proves nothing.
func (r *Run) void(s *sight, accounts []Account) []string {
	var why []string
	if s.failed > r.Limits.MaxErrors() {
		why = append(why, client.Failures(slices.Concat(r.Streams...)))
	}
	if r.Server.Reset {
		why = append(why, "ledger: the counters cannot be trusted, since "+r.Server.Why)
	}
	if unproven := r.unproven(s, accounts); r.RequireLedger && unproven != "" {
		why = append(why, unproven)
	}
	if s.failed == 0 { // what the server counted of a failed request is not known
		why = append(why, imbalances(accounts)...)
	}
	if r.Opened > 0 && !r.Open() && !r.Reopens { // an open loop opens what it needs, and each request says what that took
		why = append(why, fmt.Sprintf("%d connections were opened inside the window: their handshakes are in its times", r.Opened))
	}
	if n := r.cached(); n > 0 && r.Prefix == nil && !r.Server.PrefixHits.Known {
		why = append(why, fmt.Sprintf("prefix cache: %d prompt tokens by the usage of the answers, although every prompt is new (the server counts no hits)", n))
	}
	if s.requests == 0 && len(why) == 0 {
		why = append(why, "no request ended inside the window")
	}
	return why
}

// cached is how many prompt tokens came from a cache, by what the answers say.
func (r *Run) cached() (tokens int) {
	for _, q := range slices.Concat(r.Streams...) {
		tokens += q.CachedTokens
	}
	return tokens
}

// faults returns what takes single metrics out of the row.
func (r *Run) faults(s *sight, wire []Pair) []fault {
	return slices.Concat(r.clientBound(s), r.unsteady(s), r.lateArrivals(s), r.unevenGaps(s), r.userStamps(s), impossible(wire), r.gpuFaults(), r.floorFaults(s))
}

func (r *Run) unevenGaps(s *sight) []fault {
	var out []fault
	if got, limit := share(float64(s.guessed), float64(s.generated)), r.Limits.of(limitMerged); got > limit {
		out = append(out, fault{ruleEvents, fmt.Sprintf("%.1f %% of the tokens came in events that do not tell how many they carry, over %g %%", 100*got, 100*limit)})
	}
	if got, limit := share(float64(s.merged), float64(s.events)), r.Limits.of(limitMerged); got > limit {
		out = append(out, fault{ruleMerged, fmt.Sprintf("%.1f %% of the events came under one stamp with the one before, over %g %%", 100*got, 100*limit)})
	}
	if got, limit := share(float64(s.blurred), float64(len(s.ttft))), r.Limits.of(limitMerged); got > limit {
		out = append(out, fault{ruleBlurred, fmt.Sprintf("%.1f %% of the first tokens were read together with the second and have its stamp, over %g %%", 100*got, 100*limit)})
	}
	return out
}

// maxUnstamped is the share of events that may lack a kernel stamp. A
// connection's first packets may (3 of 20 000 were seen).
const maxUnstamped = 0.01

// userStamps judges times that the client itself took: its own lag is in them.
func (r *Run) userStamps(s *sight) []fault {
	if r.Stamps == client.KernelStamps {
		got := share(float64(s.unstamped), float64(s.events))
		if got <= maxUnstamped {
			return nil
		}
		return []fault{{ruleStamps, fmt.Sprintf("%.1f %% of the events came without a kernel stamp, over %g %%", 100*got, 100*maxUnstamped)}}
	}
	if len(r.Lateness) == 0 || len(s.itl) == 0 {
		return nil
	}
	late := slices.Sorted(slices.Values(r.Lateness))
	p99, median := sample(late).quantile(99), s.itl.quantile(50)
	if float64(p99) <= r.Limits.of(limitLag)*float64(median) {
		return nil
	}
	reason := fmt.Sprintf("stamps are the client's own, and it was up to %v late (p99), over %g %% of the median ITL", p99.Round(time.Microsecond), 100*r.Limits.of(limitLag))
	return []fault{{ruleLag, reason}}
}

// impossible finds times that contradict the server's: a token cannot reach
// us before the server made it.
func impossible(wire []Pair) []fault {
	for _, p := range wire {
		if p.Name == "ttft" && p.Wire < p.Server {
			reason := fmt.Sprintf("the mean on the wire, %v, is below the server's own, %v", time.Duration(p.Wire).Round(time.Microsecond), time.Duration(p.Server).Round(time.Microsecond))
			return []fault{{ruleServer, reason}}
		}
	}
	return nil
}
