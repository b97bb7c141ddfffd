package answers

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

const (
	// queueMatters is the share of TTFT in the server's queue from which
	// requests are said to queue: less is a step's wait for its turn.
	queueMatters = 0.2

	// clientLimit is measure's limit of the share of E2E, in percent, that a
	// stream may stand still; half of it is near.
	clientLimit = 2

	// frontEndMatters is the share of TTFT in the server's front end, and
	// frontEndGrows its growth from the smallest to the largest batch, from
	// which it is named.
	frontEndMatters, frontEndGrows = 0.1, 2
)

// A ceiling is the batch at which something of the server's is full.
type ceiling struct {
	batch float64
	name  string
}

func limits(v *view, _ *Summary) Answer {
	a := Answer{ID: "limit", Question: "What limits next?", Status: NotEnough}
	t := v.batches("tok/s")
	ceilings := v.ceilings()
	if len(t.x) == 0 {
		a.Text = "No throughput was measured: run BenchmarkThroughput."
		a.Evidence = v.voids(throughput)
		return a
	}
	largest := t.x[len(t.x)-1]
	now := v.limitsNow(largest)
	if len(ceilings) == 0 && len(now) == 0 {
		a.Text = "The server tells neither its settings nor its queue: start vLLM with VLLM_SERVER_DEV_MODE=1, so that /server_info names max-num-seqs and the KV cache."
		return a
	}
	a.Status = Answered
	var b strings.Builder
	if len(now) > 0 {
		fmt.Fprintf(&b, "At batch %v: %s.", largest, strings.Join(now, "; "))
	} else {
		fmt.Fprintf(&b, "Up to batch %v none of the server's limits is reached.", largest)
	}
	for i, c := range ceilings {
		if c.batch > largest {
			next := "Next is"
			if len(now) > 0 {
				next = "After that comes"
			}
			fmt.Fprintf(&b, " %s %s, at batch %s", next, c.name, count(int(c.batch)))
			if i+1 < len(ceilings) {
				fmt.Fprintf(&b, ", then %s, at batch %s", ceilings[i+1].name, count(int(ceilings[i+1].batch)))
			}
			b.WriteString(".")
			break
		}
	}
	a.Text = b.String()
	a.Evidence = slices.Concat(v.contextEvidence(), v.clientEvidence(), v.frontEndEvidence(), v.powerEvidence(largest), v.voids(throughput))
	return a
}

// sequences is how many requests the server runs at once, all replicas together; 0: unknown.
func (v *view) sequences() int {
	n, _ := v.setting("max-num-seqs")
	return n * v.replicas()
}

// replicas is the number of engines that share the load.
func (v *view) replicas() int {
	if n, ok := v.setting("data-parallel-size"); ok {
		return n
	}
	return 1
}

// kvTokens is how many tokens the KV cache holds; 0: unknown.
func (v *view) kvTokens() int {
	blocks, ok := v.setting("num-gpu-blocks")
	size, also := v.setting("block-size")
	if !ok || !also {
		return 0
	}
	return blocks * size
}

// perRequest is the tokens of a request of the throughput experiment, prompt and output.
func (v *view) perRequest() int {
	most := 0
	for _, row := range v.rows {
		if m := &row.Measured; m.Experiment == throughput {
			most = max(most, m.PromptTokens+m.OutputTokens)
		}
	}
	return most
}

// ceilings are the batches at which the server's settings bind, ascending.
func (v *view) ceilings() (out []ceiling) {
	if n := v.sequences(); n > 0 {
		out = append(out, ceiling{float64(n), "max-num-seqs=" + v.settings["max-num-seqs"]})
	}
	if kv, each := v.kvTokens()*v.replicas(), v.perRequest(); kv > 0 && each > 0 {
		out = append(out, ceiling{math.Floor(float64(kv) / float64(each)), fmt.Sprintf("the KV cache (%s tokens, of which a request of these lengths needs %s)", number(float64(kv)), count(each))})
	}
	slices.SortStableFunc(out, func(a, b ceiling) int { return cmp.Compare(a.batch, b.batch) })
	return out
}

// limitsNow are what binds at the largest batch already.
func (v *view) limitsNow(largest float64) (now []string) {
	for _, c := range v.ceilings() {
		if c.batch < largest {
			now = append(now, fmt.Sprintf("%s is exceeded", c.name))
		}
	}
	if q := v.batches("engine-queue-ns"); q.find(largest) >= 0 && v.queueShare(largest).Value >= queueMatters {
		now = append(now, fmt.Sprintf("requests queue for %s", q.at(q.find(largest)).duration("")))
	}
	if p := v.preemptions(); p.N > 0 && p.Value > 0 {
		now = append(now, fmt.Sprintf("the KV cache is full, with %s preemptions an operation", p.text("")))
	}
	if turnaround := v.worst(throughput, "turnaround-%"); turnaround.Value > clientLimit/2 {
		now = append(now, fmt.Sprintf("the client holds streams back for %s of E2E, where %d %% is the limit", turnaround.text("%"), clientLimit))
	}
	return now
}

// preemptions are those an operation at the cell that has most.
func (v *view) preemptions() Estimate { return v.worst(throughput, "preemptions/op") }

// worst is a metric at the cell where it is greatest.
func (v *view) worst(experiment, metric string) (worst Estimate) {
	for _, l := range Levels(v.run, experiment, metric) {
		if l.N > 0 && (worst.N == 0 || l.Value > worst.Value) {
			worst = l.Estimate
		}
	}
	return worst
}

func (v *view) contextEvidence() (lines []string) {
	longest := 0
	for _, row := range v.rows {
		longest = max(longest, row.Measured.PromptTokens+row.Measured.OutputTokens)
	}
	if v.info.MaxModelLen > 0 && longest > 0 {
		lines = append(lines, fmt.Sprintf("context: the longest request has %s tokens, the server takes %s (max-model-len)", count(longest), count(v.info.MaxModelLen)))
	}
	if p := v.preemptions(); p.N > 0 && p.Value == 0 {
		lines = append(lines, "KV cache: no preemption at any batch")
	}
	return lines
}

func (v *view) clientEvidence() (lines []string) {
	if e := v.worst(throughput, "turnaround-%"); e.N > 0 {
		lines = append(lines, fmt.Sprintf("client: a stream stands still for at most %s of E2E between its requests, where %d %% is the limit", e.text("%"), clientLimit))
	}
	cpu, tok := v.batches("cpu-ns/tok"), v.batches("tok/s")
	if n := len(cpu.x); n > 0 && n == len(tok.x) {
		cores := cpu.at(n-1).Value * tok.at(n-1).Value / 1e9
		line := fmt.Sprintf("client: it uses %s processors at batch %v", number(cores), cpu.x[n-1])
		if all := v.run.Header.Environment.Cores; all > 0 {
			line += " of " + strconv.Itoa(all)
		}
		lines = append(lines, line)
	}
	if e := v.worst(throughput, "merged-%"); e.N > 0 && e.Value > 0 {
		lines = append(lines, fmt.Sprintf("client: up to %s of the events came under one stamp with the one before", e.text("%")))
	}
	return lines
}

// frontEndEvidence names the server's HTTP front end if its part of TTFT grows with the batch.
func (v *view) frontEndEvidence() []string {
	e, t := v.batches("egress-ttft-ns"), v.batches(v.has(throughput, "mean-ttft-ns", "p50-ttft-ns"))
	last := len(e.x) - 1
	if last < 1 || t.find(e.x[last]) < 0 {
		return nil
	}
	share := e.at(last).Value / t.at(t.find(e.x[last])).Value
	grows := e.over(last, 0)
	if share < frontEndMatters || grows.Value < frontEndGrows {
		return nil
	}
	return []string{fmt.Sprintf("front end: %s of TTFT at batch %v lies between server and wire, %s of that at batch %v: the HTTP process of the server grows into a limit (--api-server-count)", e.at(last).duration(""), e.x[last], grows.ratio(), e.x[0])}
}

// powerEvidence tells of the power cap where the GPU named it, and of the clock where it fell.
func (v *view) powerEvidence(largest float64) (lines []string) {
	c, w := v.batches("gpu-clock-Hz"), v.batches("gpu-W")
	first, at := 0, c.find(largest)
	if at > 0 {
		if fall := 100 * (1 - c.at(at).Value/c.at(first).Value); fall >= 1 {
			lines = append(lines, fmt.Sprintf("clock: %s GHz at batch %v, %s %% below that at batch %v", c.at(at).scaled(1e-9).text(""), largest, number(fall), c.x[first]))
		}
	}
	limit := 0.0
	for _, d := range v.run.Header.Devices {
		limit += d.PowerLimit
	}
	if i := w.find(largest); i >= 0 && limit > 0 {
		lines = append(lines, fmt.Sprintf("power: %s at batch %v of a limit of %s W", w.at(i).text("W"), largest, number(limit)))
	}
	if share := v.throttled(); share > 0 {
		lines = append(lines, fmt.Sprintf("power: the GPU ran below its clock in %s %% of its reads (%s)", number(100*share), v.throttles()))
	}
	return lines
}
