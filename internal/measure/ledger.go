package measure

import (
	"cmp"
	"fmt"
	"slices"

	"vllmbench/client"
	"vllmbench/internal/engine"
)

const (
	allRequests   = "finished requests"
	promptTokens  = "prompt tokens"
	outputTokens  = "generated tokens"
	prefixHits    = "prefix cache hits"
	externalHits  = "external prefix cache hits"
	preemptions   = "preemptions"
	requestsEnded = "requests ("  // the finish reason follows, and ")"
	inFlight      = "in flight, " // the name of the moment follows
)

// An Account is one line of the ledger: what we counted against what the
// server counted between two moments at which nothing of ours was in flight,
// or, of requests in flight, what its gauges said at one moment.
type Account struct {
	Name   string  `json:"name"` // "requests (length)", "prompt tokens", "in flight, tail", ...
	Ours   float64 `json:"ours"`
	Server float64 `json:"server"`
	Known  bool    `json:"known"`            // false if the server does not offer it
	Within float64 `json:"within,omitempty"` // the difference that still balances, since the two are not of one instant
	Noted  bool    `json:"noted,omitempty"`  // kept beside the others: the client cannot count it
}

// Balances says whether nothing in the account contradicts us.
func (a Account) Balances() bool {
	diff := a.Server - a.Ours
	return !a.Known || a.Noted || -a.Within <= diff && diff <= a.Within
}

// finishReasons are always in the ledger where the server counts by them;
// others only if a request ended so.
var finishReasons = []string{"length", "stop", "abort", "error"}

// ledger balances what all requests of the run report against what the server
// counted over them. What may come from a prefix cache is what was made so.
func (r *Run) ledger() []Account {
	var prompt, output, ended float64
	reasons := map[string]float64{}
	for _, rs := range r.Streams {
		for _, q := range rs {
			if q.Outcome == client.OK {
				ended++
				reasons[engineReason(q.FinishReason)]++
			}
			prompt += float64(q.PromptTokens)
			output += float64(q.OutputTokens)
		}
	}
	account := func(name string, ours float64, v engine.Value) Account {
		return Account{Name: name, Ours: ours, Server: v.N, Known: v.Known}
	}
	out := byReason(reasons, r.Server.Finished)
	if r.Server.Finished == nil {
		out = []Account{account(allRequests, ended, r.Server.Requests)}
	}
	out = append(out,
		account(promptTokens, prompt, r.Server.PromptTokens),
		account(outputTokens, output, r.Server.GenerationTokens),
		r.hits(),
	)
	if r.Server.ExternalHits.Known { // a vLLM without it has no such cache
		out = append(out, account(externalHits, 0, r.Server.ExternalHits))
	}
	thrown := account(preemptions, 0, r.Server.Preemptions)
	thrown.Noted = true
	return append(append(out, thrown), r.inFlight()...)
}

// engineReason is the reason by which vLLM counts a request that ended so: a call
// of a tool is a stop to the engine.
func engineReason(reason string) string {
	if reason == "tool_calls" || reason == "function_call" {
		return "stop"
	}
	return reason
}

func byReason(ours, server map[string]float64) (out []Account) {
	var names []string
	for _, m := range []map[string]float64{ours, server} {
		for name, n := range m {
			if n != 0 || slices.Contains(finishReasons, name) {
				names = append(names, name)
			}
		}
	}
	rank := func(name string) int {
		if i := slices.Index(finishReasons, name); i >= 0 {
			return i
		}
		return len(finishReasons)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(rank(a)-rank(b), cmp.Compare(a, b)) })
	for _, name := range slices.Compact(names) {
		out = append(out, Account{Name: fmt.Sprintf("%s%s)", requestsEnded, name), Ours: ours[name], Server: server[name], Known: true})
	}
	return out
}
