package measure

import (
	"fmt"

	"vllmbench/client"
	"vllmbench/internal/engine"
)

const (
	prefixHits   = "prefix cache hits"
	externalHits = "external prefix cache hits"
)

// ledger balances what all requests of a run report against what the server
// counted over them. No two prompts are alike, so none may come from a cache.
func ledger(streams [][]client.Result, server engine.Delta) []Account {
	var requests, prompt, output float64
	for _, rs := range streams {
		for _, r := range rs {
			if r.Outcome == client.OK {
				requests++
			}
			prompt += float64(r.PromptTokens)
			output += float64(r.OutputTokens)
		}
	}
	account := func(name string, ours float64, v engine.Value) Account {
		return Account{name, ours, v.N, v.Known}
	}
	return []Account{
		account("finished requests", requests, server.Requests),
		account("prompt tokens", prompt, server.PromptTokens),
		account("generated tokens", output, server.GenerationTokens),
		account(prefixHits, 0, server.PrefixHits),
		account(externalHits, 0, server.ExternalHits),
	}
}

// imbalances says which accounts do not balance, and in whose favour.
func imbalances(accounts []Account) []string {
	var out []string
	for _, a := range accounts {
		switch diff := a.Server - a.Ours; {
		case !a.Known || diff == 0:
		case a.Name == prefixHits || a.Name == externalHits:
			out = append(out, fmt.Sprintf("%s: %.0f prompt tokens, although every prompt is new (does something else share this server?)", a.Name, a.Server))
		case diff > 0:
			out = append(out, fmt.Sprintf("ledger: the server counted %.0f more %s than the %.0f of ours (another client, or a request repeated)", diff, a.Name, a.Ours))
		default:
			out = append(out, fmt.Sprintf("ledger: the server counted %.0f fewer %s than the %.0f of ours (a router before several servers, or counters behind?)", -diff, a.Name, a.Ours))
		}
	}
	return out
}

// pairs puts the wire's means beside the server's, over all requests of the run.
func pairs(streams [][]client.Result, server engine.Delta) []Pair {
	var ttft, e2e, gaps, n, steps float64
	for _, rs := range streams {
		for _, r := range rs {
			if r.Outcome != client.OK {
				return nil // the server counts it too, and we have no time of it
			}
			n++
			ttft += float64(r.TTFT())
			e2e += float64(r.E2E())
			gaps += float64(r.E2E() - r.TTFT())
			steps += float64(r.OutputTokens - r.Events[0].Tokens)
		}
	}
	var out []Pair
	add := func(name string, sum, count float64, h engine.Hist) {
		if mean, ok := h.Mean(); ok && count > 0 {
			out = append(out, Pair{name, sum / count, mean * 1e9})
		}
	}
	add("ttft", ttft, n, server.TTFT)
	add("itl", gaps, steps, server.ITL)
	add("e2e", e2e, n, server.E2E)
	return out
}
