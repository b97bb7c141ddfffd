package answers

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"vllmbench/client"
	"vllmbench/internal/engine"
	"vllmbench/internal/measure"
)

const (
	// intervalNeeds is the number of repetitions that the sign test needs for
	// an interval at 95 %.
	intervalNeeds = 6

	// noisyThroughput is the half-width of the interval of a throughput from
	// which a change of 5 %, which is what one usually looks for, is hidden.
	noisyThroughput = 0.05

	// kvNearlyFull is the share of the KV cache that the largest batch needs at
	// its end, from which preemptions are near.
	kvNearlyFull = 0.9

	// lowUse is the activity, in percent, below which both DRAM and tensor cores
	// at the largest batch leave the GPU mostly unused.
	lowUse = 40
)

// warnings are what to look at. Each names a cause that was checked, and none
// comes from a healthy run.
func (v *view) warnings() (all []Warning) {
	for _, look := range []func() (Warning, bool){
		v.simulated, v.voidRows, v.onCPU, v.fewRepetitions, v.noisy, v.userStamps, v.prefixHits,
		v.preempted, v.nearlyFull, v.queueing, v.lowUse, v.idling, v.throttling, v.lowClock, v.eager, v.unchunked,
		v.lateClient, v.unsteadyRates, v.preemptedOpen, v.fewHits,
	} {
		if w, ok := look(); ok {
			all = append(all, w)
		}
	}
	return all
}

func (v *view) simulated() (Warning, bool) {
	return Warning{
		What:     "The server is simulated: its times are computed, not measured.",
		Evidence: "the record says that it is vllmsim, the embedded server",
		Try:      "-url=http://HOST:8000 measures a real one",
	}, v.run.Header.Simulated || v.info.Kind == engine.VLLMSim
}

func (v *view) voidRows() (Warning, bool) {
	void := slices.DeleteFunc(slices.Clone(v.void), overloads)
	if len(void) == 0 {
		return Warning{}, false
	}
	var names []string
	for _, row := range void {
		if name := clean(row.Measured.Name); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	const most = 5
	where := strings.Join(names[:min(most, len(names))], ", ")
	if len(names) > most {
		where += fmt.Sprintf(" and %d more cells", len(names)-most)
	}
	reason := void[0].Measured.Void[0]
	try := "make the benchmark the server's only client and repeat the cells with -bench"
	if strings.Contains(strings.ToLower(reason), "out of memory") {
		try = "a lower --gpu-memory-utilization leaves room for activations; a lower --max-num-seqs or --max-num-batched-tokens needs less of it"
	} else if strings.Contains(reason, "("+string(client.Dropped)+")") {
		try = "lower rates: more came than the server works off; or a higher -in-flight-max, if the load is only uneven"
	}
	return Warning{
		What:     fmt.Sprintf("Void, and in no number: %s of %d (%s).", plural(len(void), "row"), len(v.run.Rows), where),
		Evidence: fmt.Sprintf("the first: %s", clean(reason)),
		Try:      try,
	}, true
}

func (v *view) fewRepetitions() (Warning, bool) {
	n := map[measure.Cell]int{}
	for _, row := range v.rows {
		if m := &row.Measured; m.Experiment != Probes && m.Experiment != capacity { // a search says itself what its windows bound
			n[m.Cell]++
		}
	}
	few, least := 0, math.MaxInt
	for _, k := range n {
		if k < intervalNeeds {
			few++
		}
		least = min(least, k)
	}
	return Warning{
		What:     fmt.Sprintf("%d of %d cells have fewer than %d valid repetitions, so their numbers have no interval.", few, len(n), intervalNeeds),
		Evidence: fmt.Sprintf("the least is %d", least),
		Try:      "-count=10, with -timeout=0",
	}, few > 0
}

func (v *view) noisy() (Warning, bool) {
	var worst Level
	n := 0
	for _, experiment := range []string{latency, throughput, seqlen} {
		for _, l := range Levels(v.run, experiment, "tok/s") {
			if l.Low == nil || l.spread() < noisyThroughput {
				continue
			}
			n++
			if worst.N == 0 || l.spread() > worst.spread() {
				worst = l
			}
		}
	}
	if n == 0 {
		return Warning{}, false
	}
	return Warning{
		What:     fmt.Sprintf("The throughput of %s is uncertain by %v %% or more; most in %s: %s.", plural(n, "cell"), 100*noisyThroughput, clean(worst.Cell.Name), worst.text("tok/s")),
		Evidence: fmt.Sprintf("half the width of the interval over %s is %s %% of the median", plural(worst.N, "repetition"), number(100*worst.spread())),
		Try:      "a machine that does nothing else, longer cells (-benchtime=5s), more repetitions (-count=20)",
	}, true
}

func (v *view) userStamps() (Warning, bool) {
	return Warning{
		What:     "Times are the client's own: its delays are in every latency.",
		Evidence: "stamps: user",
		Try:      "a client on Linux without -user-stamps, where the kernel stamps each token's arrival",
	}, v.run.Header.Stamps == "user"
}

func (v *view) prefixHits() (Warning, bool) {
	most := Estimate{}
	for _, experiment := range []string{latency, throughput, seqlen} {
		if e := v.worst(experiment, "prefix-hit-%"); e.Value > most.Value {
			most = e
		}
	}
	return Warning{
		What:     fmt.Sprintf("Up to %s of the prompt tokens came from the prefix cache, so prefill was not measured whole.", most.text("%")),
		Evidence: "prefix-hit-%, by the server's counters",
		Try:      "--no-enable-prefix-caching on the server, or new prompts",
	}, most.Value > 0
}
