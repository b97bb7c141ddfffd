package measure

import (
	"fmt"

	"vllmbench/client"
	"vllmbench/internal/engine"
)

// A Prefix says that prompts begin, by design, with tokens that the server has had
// before (client.Request.Seen), and how its prefix cache finds them.
type Prefix struct {
	// Block is the number of tokens in a block of the cache: only whole ones are found, and
	// never the prompt's last token, whose output is needed.
	Block int

	// Off says that the server's prefix cache is, so that nothing is found.
	Off bool

	// Bound says that hits may be fewer: Seen counts what a cache without limit
	// would hold, as of a trace that fills the real one.
	Bound bool
}

// of is the number of the request's prompt tokens to be found.
func (p *Prefix) of(r *client.Result) int {
	if p.Off || p.Block < 1 {
		return 0
	}
	return max(0, min(r.Seen, r.PromptTokens-1)) / p.Block * p.Block
}

// expected is the number of prompt tokens to be found in all requests, and by how
// much the count may differ: a block a request, since where a server begins to
// share one is its own affair.
func (r *Run) expected() (tokens, within float64) {
	if r.Prefix == nil {
		return 0, 0
	}
	for _, rs := range r.Streams {
		for i := range rs {
			if n := r.Prefix.of(&rs[i]); n > 0 {
				tokens += float64(n)
				within += float64(r.Prefix.Block)
			}
		}
	}
	return tokens, within
}

// found is what the prefix cache found by the server's counter, or, where prompts were made for
// it and there is none, by the usage of each request. A usage that never tells of
// a cached token is one that does not tell.
func (r *Run) found() engine.Value {
	if r.Server.PrefixHits.Known || r.Prefix == nil {
		return r.Server.PrefixHits
	}
	var v engine.Value
	for _, rs := range r.Streams {
		for i := range rs {
			v.N += float64(rs[i].CachedTokens)
		}
	}
	v.Known = v.N > 0
	return v
}

// hits is the account of the prefix cache. Without prompts made for it nothing
// may be found, since no two are alike.
func (r *Run) hits() Account {
	tokens, within := r.expected()
	v := r.found()
	a := Account{Name: prefixHits, Ours: tokens, Server: v.N, Known: v.Known, Within: within}
	a.Noted = r.Prefix != nil && r.Prefix.Bound && v.N <= tokens+within
	return a
}

// unequal says why the account of the prefix cache does not balance.
func unequal(a Account) string {
	if a.Ours == 0 {
		return fmt.Sprintf("%s: %.0f prompt tokens, although every prompt is new (does something else share this server?)", a.Name, a.Server)
	}
	why := "does something else fill the cache, or is it too small for the load, so that blocks are evicted?"
	if a.Server > a.Ours {
		why = "does something else share this server?"
	}
	return fmt.Sprintf("%s: %.0f prompt tokens, where %.0f were expected by design, within %.0f (a block a request): %s", a.Name, a.Server, a.Ours, a.Within, why)
}

// prefix puts what was found beside what should have been.
func (r *Run) prefix(t *table) {
	v, asked := r.found(), r.Server.PrefixQueries
	if r.Prefix != nil {
		asked = engine.Value{Known: true}
		for _, rs := range r.Streams {
			for i := range rs {
				asked.N += float64(rs[i].PromptTokens)
			}
		}
	}
	if v.Known && asked.Known {
		t.put("prefix-hit-%", 100*share(v.N, asked.N), 0)
	}
	if r.Prefix == nil {
		return
	}
	if !v.Known {
		for _, metric := range []string{"prefix-hit-%", "prefix-expected-%"} {
			t.leave(metric, ruleHits, "the server neither counts what its prefix cache finds nor tells cached tokens in usage, so that it is not known whether the prompts were shared")
		}
		return
	}
	tokens, _ := r.expected()
	t.put("prefix-expected-%", 100*share(tokens, asked.N), 0)
}

// ofHits are the metrics that need the server's word on its prefix cache.
func ofHits(metric string) bool { return metric == "prefix-hit-%" || metric == "prefix-expected-%" }
