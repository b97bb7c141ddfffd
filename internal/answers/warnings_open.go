package answers

import (
	"fmt"
	"slices"
	"strings"

	"vllmbench/client"
	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// overloads says whether a void row is an answer for all that: that of a search
// whose load was more than could be kept in flight.
func overloads(r *results.Row) bool {
	return r.Measured.Experiment == Probes && slices.ContainsFunc(r.Measured.Void, func(why string) bool {
		return strings.Contains(why, "("+string(client.Dropped)+")")
	})
}

// leftBy names the cells in which a rule took metrics out of valid rows, the
// number of these rows, and the first reason.
func (v *view) leftBy(rule string, counts func(*measure.Row) bool) (cells []string, rows int, reason string) {
	for _, row := range v.rows {
		i := slices.IndexFunc(row.Measured.LeftOut, func(l measure.LeftOut) bool { return l.Rule == rule })
		if i < 0 || !counts(&row.Measured) {
			continue
		}
		if rows++; reason == "" {
			reason = clean(row.Measured.LeftOut[i].Reason)
		}
		if name := clean(row.Measured.Name); !slices.Contains(cells, name) {
			cells = append(cells, name)
		}
	}
	return cells, rows, reason
}

// few lists names, of many only the first ones.
func few(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

func (v *view) lateClient() (Warning, bool) {
	cells, n, reason := v.leftBy(ruleLate, func(*measure.Row) bool { return true })
	return Warning{
		What:     fmt.Sprintf("The client sent requests late in %s (%s), so latencies or goodput are left out there.", plural(n, "row"), few(cells)),
		Evidence: "the first: " + reason,
		Try:      "a client machine that does nothing else, lower rates, or several clients (docs/arrivals.md)",
	}, n > 0
}

// unsteadyRates is of rates that were asked for; those of a search are its answer.
func (v *view) unsteadyRates() (Warning, bool) {
	cells, n, reason := v.leftBy(ruleGrowth, func(r *measure.Row) bool { return r.Experiment != Probes })
	return Warning{
		What:     fmt.Sprintf("The queue grew in %s (%s): more came than was served, so these have no latency and no goodput.", plural(n, "row"), few(cells)),
		Evidence: "the first: " + reason,
		Try:      "lower -rates, and -bench=Capacity for the highest rate that holds an SLO",
	}, n > 0
}

// preemptedOpen is of loads whose operation is a whole window.
func (v *view) preemptedOpen() (Warning, bool) {
	var worst Level
	for _, experiment := range []string{arrivals, replay, Probes} {
		for _, l := range Levels(v.run, experiment, "preemptions/op") {
			if l.N > 0 && l.Value > worst.Value {
				worst = l
			}
		}
	}
	return Warning{
		What:     fmt.Sprintf("The KV cache ran out under arrivals: %s preemptions in a window of %s, each of which computes a request's prompt and output again.", worst.text(""), clean(worst.Cell.Name)),
		Evidence: "preemptions/op, by the server's counters; one operation is one window, its ramp and its tail",
		Try:      "--max-num-seqs down, so that requests wait instead; --gpu-memory-utilization up or --kv-cache-dtype fp8 for more room",
	}, worst.Value > 0
}

// missedHits is by how many percent of the prompt tokens fewer may be found in the
// prefix cache than were designed, before it is said.
const missedHits = 1

// fewHits looks at void rows too: where the difference is more than a block a request, they are.
func (v *view) fewHits() (Warning, bool) {
	worst, name, found, expected := 0.0, "", 0.0, 0.0
	for i := range v.run.Rows {
		m := &v.run.Rows[i].Measured
		hit, ok := m.Value("prefix-hit-%")
		want, also := m.Value("prefix-expected-%")
		if ok && also && want-hit > worst {
			worst, name, found, expected = want-hit, m.Name, hit, want
		}
	}
	return Warning{
		What:     fmt.Sprintf("The prefix cache found less than designed: in %s %s %% of the prompt tokens, of %s %%.", clean(name), number(found), number(expected)),
		Evidence: "prefix-hit-% by the server's counters, prefix-expected-% by the prompts; of a trace the latter is what a cache without limit would find",
		Try:      "more KV cache (--gpu-memory-utilization up), fewer conversations at once, and no other client",
	}, worst > missedHits
}
