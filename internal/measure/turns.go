package measure

import (
	"fmt"
	"slices"

	"vllmbench/client"
)

// maxTurn is the last turn of a conversation that has a metric of its own.
const maxTurn = 8

// turnMetrics tell how long each turn of a conversation waits, whose prompt holds all before it.
var turnMetrics = func() (all []Metric) {
	for turn := 1; turn <= maxTurn; turn++ {
		all = append(all, Metric{TurnTTFT(turn), "lower", false, fmt.Sprintf("median TTFT of requests that are turn %d of their conversation", turn)})
	}
	return append(all, Metric{TurnTTFT(maxTurn + 1), "lower", false, fmt.Sprintf("median TTFT of requests behind turn %d of their conversation", maxTurn)})
}()

// TurnTTFT is the name of the metric of a turn's TTFT, from 1 on.
func TurnTTFT(turn int) string {
	if turn > maxTurn {
		return "p50-later-turns-ttft-ns"
	}
	return fmt.Sprintf("p50-turn%d-ttft-ns", turn)
}

func ofTurns(metric string) bool {
	return slices.ContainsFunc(turnMetrics, func(m Metric) bool { return m.Name == metric })
}

// turns are the TTFTs of each turn; those behind maxTurn are together, and those of no conversation at 0.
type turns [maxTurn + 2]sample

func (t *turns) add(r *client.Result) {
	n := min(r.Turn, maxTurn+1)
	t[n] = append(t[n], r.TTFT())
}

// byTurn puts the TTFT of each turn that there is.
func (r *Run) byTurn(t *table, s *sight) {
	for turn, ttft := range s.turns {
		if turn > 0 && len(ttft) > 0 {
			t.put(TurnTTFT(turn), float64(ttft.sort().quantile(50)), len(ttft))
		}
	}
}
