package answers

import (
	"maps"
	"slices"
	"strings"

	"vllmbench/internal/results"
)

// throttled is the share of reads inside windows at which a GPU said that it
// ran below its clock.
func (v *view) throttled() float64 {
	n, all := 0, 0
	v.reads(func(why []string) {
		all++
		if len(why) > 0 {
			n++
		}
	})
	if all == 0 {
		return 0
	}
	return float64(n) / float64(all)
}

// throttles are the reasons that it gave.
func (v *view) throttles() string {
	seen := map[string]bool{}
	v.reads(func(why []string) {
		for _, w := range why {
			seen[clean(w)] = true
		}
	})
	return strings.Join(slices.Sorted(maps.Keys(seen)), ", ")
}

// reads calls see with the reasons of every read inside the window of a valid row.
func (v *view) reads(see func(why []string)) {
	for _, sample := range v.run.GPU {
		inside := slices.ContainsFunc(v.rows, func(r *results.Row) bool {
			return r.Measured.Window.From <= sample.At && sample.At <= r.Measured.Window.To
		})
		if !inside {
			continue
		}
		var why []string
		for _, g := range sample.GPUs {
			why = append(why, g.Throttled...)
		}
		see(why)
	}
}
