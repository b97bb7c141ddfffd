package measure

import (
	"vllmbench/client"
	"vllmbench/internal/engine"
)

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
