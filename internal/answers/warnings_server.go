package answers

import (
	"fmt"
	"slices"
	"strings"

	"vllmbench/internal/measure"
)

// cpuBlock is vLLM's block size on CPUs, in tokens, where nobody set another;
// on GPUs it is 16.
const cpuBlock = 128

// onCPU finds a server that runs on a CPU: by what it says, or, where it says
// nothing, by the block size that vLLM takes only there while no GPU was to be seen.
func (v *view) onCPU() (Warning, bool) {
	block, _ := v.setting("block-size")
	evidence := ""
	switch {
	case v.config.Config.Device.Device == "cpu":
		evidence = "device_config in its /server_info says cpu"
	case strings.Contains(v.info.Version, "+cpu"):
		evidence = fmt.Sprintf("its version is %s", clean(v.info.Version))
	case len(v.run.Header.Devices) == 0 && v.worst(throughput, "gpu-util-%").N == 0 && block == cpuBlock:
		evidence = fmt.Sprintf("no GPU was seen, and block-size=%d is vLLM's choice on CPUs", cpuBlock)
	}
	return Warning{
		What:     "The server runs on a CPU: speeds say nothing of a GPU.",
		Evidence: evidence,
		Try:      "if that is an accident, vLLM's build for GPUs where nvidia-smi lists one; its log names the platform that it chose",
	}, evidence != ""
}

func (v *view) preempted() (Warning, bool) {
	p := v.preemptions()
	return Warning{
		What:     fmt.Sprintf("The KV cache ran out: up to %s preemptions an operation, each of which computes a request's prompt and output again.", p.text("")),
		Evidence: "preemptions/op, by the server's counters",
		Try:      "--gpu-memory-utilization up, --kv-cache-dtype fp8, or --max-num-seqs down",
	}, p.Value > 0
}

func (v *view) nearlyFull() (Warning, bool) {
	t := v.batches("tok/s")
	kv := v.kvTokens() * v.replicas()
	if len(t.x) == 0 || kv == 0 || v.preemptions().Value > 0 {
		return Warning{}, false
	}
	batch := t.x[len(t.x)-1]
	if seqs := v.sequences(); seqs > 0 {
		batch = min(batch, float64(seqs))
	}
	share := batch * float64(v.perRequest()) / float64(kv)
	return Warning{
		What:     fmt.Sprintf("The KV cache is nearly full: %v requests at their end need %s %% of it.", batch, number(100*share)),
		Evidence: fmt.Sprintf("%s tokens a request, %s tokens of room (num-gpu-blocks x block-size)", count(v.perRequest()), number(float64(kv))),
		Try:      "--gpu-memory-utilization up or --kv-cache-dtype fp8 before a larger batch or longer requests",
	}, share >= kvNearlyFull
}

func (v *view) queueing() (Warning, bool) {
	q := v.batches("engine-queue-ns")
	if len(q.x) == 0 {
		return Warning{}, false
	}
	last := len(q.x) - 1
	share := v.queueShare(q.x[last])
	seqs := v.sequences()
	if share.Value < queueMatters || seqs == 0 || float64(seqs) >= q.x[last] {
		return Warning{}, false
	}
	return Warning{
		What:     fmt.Sprintf("At batch %v requests wait %s in the server's queue, %s of TTFT.", q.x[last], q.at(last).duration(""), share.scaled(100).text("%")),
		Evidence: fmt.Sprintf("engine-queue-ns, and max-num-seqs=%s runs fewer than that at once", v.settings["max-num-seqs"]),
		Try:      fmt.Sprintf("--max-num-seqs %v or more", q.x[last]),
	}, true
}

func (v *view) lowUse() (Warning, bool) {
	dram, tensor := v.batches("gpu-dram-%"), v.batches("gpu-tensor-%")
	if len(dram.x) == 0 || len(tensor.x) == 0 {
		return Warning{}, false
	}
	last := len(dram.x) - 1
	d, t := dram.at(last), tensor.at(len(tensor.x)-1)
	try := "a larger batch: -batches, and --max-num-seqs if it is lower"
	if v.isEager() {
		try = "CUDA graphs (no --enforce-eager), then a larger batch"
	}
	return Warning{
		What:     fmt.Sprintf("The GPU is little used even at batch %v: DRAM at %s, tensor cores at %s.", dram.x[last], d.text("%"), t.text("%")),
		Evidence: fmt.Sprintf("gpu-dram-%% and gpu-tensor-%%, both below %d %%", lowUse),
		Try:      try,
	}, d.Value < lowUse && t.Value < lowUse
}

func (v *view) idling() (Warning, bool) {
	idle := v.batches("gpu-idle-%")
	if len(idle.x) == 0 {
		return Warning{}, false
	}
	last := len(idle.x) - 1
	e := idle.at(last)
	try := "--async-scheduling, and faster processors for the server's process"
	if v.isEager() {
		try = "CUDA graphs: no --enforce-eager"
	}
	return Warning{
		What:     fmt.Sprintf("The GPU does nothing for %s of the time at batch %v.", e.text("%"), idle.x[last]),
		Evidence: "gpu-idle-%, in the windows only; the client kept its streams full",
		Try:      try,
	}, e.Value >= 2*idleMatters && v.worst(throughput, "turnaround-%").Value <= clientLimit
}

func (v *view) isEager() bool {
	eager := v.config.Config.Model.EnforceEager
	return eager != nil && *eager
}

func (v *view) eager() (Warning, bool) {
	return Warning{
		What:     "The server runs without CUDA graphs: every kernel of a decode step is launched from the host.",
		Evidence: "enforce_eager is true in its /server_info",
		Try:      "vllm serve without --enforce-eager",
	}, v.isEager()
}

func (v *view) unchunked() (Warning, bool) {
	return Warning{
		What:     "Chunked prefill is off: a long prompt holds every running stream up.",
		Evidence: "enable-chunked-prefill=" + clean(v.settings["enable-chunked-prefill"]),
		Try:      "--enable-chunked-prefill",
	}, strings.EqualFold(v.settings["enable-chunked-prefill"], "false")
}

func (v *view) throttling() (Warning, bool) {
	const rule = "throttled" // as gpuprobe calls trouble with heat and supply
	n, reason := 0, ""
	for _, row := range v.rows {
		if i := slices.IndexFunc(row.Measured.LeftOut, func(l measure.LeftOut) bool { return l.Rule == rule }); i >= 0 {
			n++
			reason = row.Measured.LeftOut[i].Reason
		}
	}
	return Warning{
		What:     fmt.Sprintf("The GPU was throttled in %s: it is slower there than it can be.", plural(n, "row")),
		Evidence: clean(reason),
		Try:      "cooling and power of the machine; nvidia-smi -q -d PERFORMANCE names the cause",
	}, n > 0
}

// lowClock finds a clock that is locked: low at the lightest load, where
// neither heat nor power holds it down.
func (v *view) lowClock() (Warning, bool) {
	const low = 0.85 // of the highest; light loads run at 98 to 100 % of it
	clock := v.mean(latency, "gpu-clock-Hz")
	if clock.N == 0 {
		clock = v.mean(seqlen, "gpu-clock-Hz")
	}
	if clock.N == 0 || v.peaks == nil || v.peaks.SMClock == 0 || v.throttled() > 0 {
		return Warning{}, false
	}
	return Warning{
		What:     fmt.Sprintf("The GPU's clock is low: %s, of %s GHz.", clock.scaled(1e-9).text("GHz"), number(v.peaks.SMClock/1e9)),
		Evidence: "gpu-clock-Hz at a single stream, without throttling: the clock is locked or its limit lowered",
		Try:      "nvidia-smi -rgc unlocks it, if that was not on purpose",
	}, clock.Value < low*v.peaks.SMClock
}
