package measure

import (
	"fmt"
	"math"
	"strings"
)

// imbalances says which accounts do not balance, and in whose favour. Several
// that grew together are one sentence: somebody else's requests.
func imbalances(accounts []Account) (out []string) {
	theirs := foreign(accounts)
	if theirs != "" {
		out = append(out, theirs)
	}
	for _, a := range accounts {
		diff, name := a.Server-a.Ours, a.Name
		switch {
		case a.Balances() || strings.HasPrefix(name, inFlight) || theirs != "" && entered(name):
		case name == prefixHits || name == externalHits:
			out = append(out, unequal(a))
		case diff > 0:
			out = append(out, fmt.Sprintf("ledger: the server counted %.0f more %s than the %.0f of ours (another client, or a request repeated)", diff, name, a.Ours))
		default:
			out = append(out, fmt.Sprintf("ledger: the server counted %.0f fewer %s than the %.0f of ours (a router before several servers, or counters behind?)", -diff, name, a.Ours))
		}
	}
	if n := surplus(accounts); n > 0 {
		out = append(out, fmt.Sprintf("ledger: %s in flight and not ours, before, during and after the load: somebody else uses the server", are(n, "request")))
	}
	return out
}

// entered says whether requests of others enter the account.
func entered(name string) bool {
	return name == allRequests || strings.HasPrefix(name, requestsEnded) || name == promptTokens || name == outputTokens
}

// foreign is the sentence for requests that are not ours, or "" if there are
// none or something else is wrong as well. Tokens without a request are of one
// that vLLM counts no end of: its client left, or it is still in flight.
func foreign(accounts []Account) string {
	var requests, prompt, output float64
	for _, a := range accounts {
		if !a.Known || !entered(a.Name) {
			continue
		}
		diff := a.Server - a.Ours
		if diff < 0 {
			return ""
		}
		switch a.Name {
		case promptTokens:
			prompt = diff
		case outputTokens:
			output = diff
		default:
			requests += diff
		}
	}
	tokens := fmt.Sprintf("%s and %s", count(prompt, "prompt token"), count(output, "generated token"))
	switch {
	case requests > 0 && prompt+output > 0:
		return fmt.Sprintf("ledger: %s, %s are not ours: somebody else uses the server", count(requests, "request"), tokens)
	case prompt > 0 && output > 0:
		return fmt.Sprintf("ledger: %s are not ours, of requests whose end the server did not count: somebody else uses the server", tokens)
	}
	return ""
}

// surplus is how many requests the server held at least beyond ours each time
// that it was asked: a single gauge may be of a step that is long over.
func surplus(accounts []Account) float64 {
	least, reads := math.Inf(1), 0
	for _, a := range accounts {
		if a.Known && strings.HasPrefix(a.Name, inFlight) {
			least = min(least, a.Server-a.Ours-a.Within)
			reads++
		}
	}
	if reads < 2 {
		return 0
	}
	return max(0, least)
}

// unproven says why a row whose ledger is asked for has none, or a part of one.
func (r *Run) unproven(s *sight, accounts []Account) string {
	var lost []string
	known := 0
	for _, a := range accounts {
		switch {
		case a.Known:
			known++
		case !strings.HasPrefix(a.Name, inFlight):
			lost = append(lost, a.Name)
		}
	}
	const asked = "ledger: it is required (-require-ledger), but "
	switch {
	case s.failed > r.Limits.MaxErrors(): // which says more
		return ""
	case s.failed > 0:
		return asked + "what the server counted of failed requests is not known"
	case r.Server.Several:
		return asked + r.Server.Why
	case r.Server.Reset || len(lost) == 0:
		return ""
	case known == 0:
		return asked + "the server does not offer its counters (GET /metrics)"
	}
	return asked + "the server does not count " + strings.Join(lost, ", ")
}

func count(n float64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%.0f %ss", n, noun)
}

func are(n float64, noun string) string {
	if n == 1 {
		return "1 " + noun + " is"
	}
	return count(n, noun) + " are"
}
