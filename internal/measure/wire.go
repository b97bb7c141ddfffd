package measure

import (
	"vllmbench/client"
	"vllmbench/internal/engine"
)

// pairs puts the wire's means beside the server's, over all requests of the run.
func pairs(streams [][]client.Result, server engine.Delta) []Pair {
	var ttft, e2e, steps, n float64 // from the sending, as the server sees it, in an open loop too
	for _, rs := range streams {
		for _, r := range rs {
			if r.Outcome != client.OK {
				return nil // the server counts it too, and we have no time of it
			}
			n++
			ttft += float64(r.Events[0].At - r.Sent)
			e2e += float64(r.Events[len(r.Events)-1].At - r.Sent)
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
	add("itl", e2e-ttft, steps, server.ITL)
	add("e2e", e2e, n, server.E2E)
	return out
}
