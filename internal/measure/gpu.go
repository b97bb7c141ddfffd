package measure

import (
	"fmt"
	"slices"
	"strings"

	"vllmbench/gpuprobe"
)

// gpuMetrics are of the GPUs over exactly the window, and left out where the GPU does not tell.
var gpuMetrics = []Metric{
	{"gpu-util-%", "", true, "share of the window in which a kernel ran (utilization.gpu): 100 in every load, whatever part of the GPU works"},
	{"gpu-sm-%", "", false, "mean share of the SMs that had work"},
	{"gpu-dram-%", "", true, "mean share of the memory bandwidth in use: near its ceiling, the load is bound by memory"},
	{"gpu-tensor-%", "", false, "mean share of the tensor cores' cycles in use: near its ceiling, the load is bound by compute"},
	{"gpu-mem-B", "", true, "most memory in use, all GPUs together"},
	{"gpu-clock-Hz", "", false, "mean SM clock"},
	{"gpu-W", "", true, "mean power, all GPUs together"},
	{"J/tok", "lower", true, "energy of the GPUs in the window, by their counters, per output token"},
	{"net-J/tok", "lower", false, "the same without what the idle GPUs would have drawn"},
	{"gpu-idle-%", "lower", true, "share of the window in which the GPU did nothing"},
	{"gpu-gaps", "lower", false, "idle gaps: intervals between two reads in which the GPU did nothing"},
	{"gpu-gap-max-ns", "lower", false, "the longest idle gap"},
}

// maxEnergyError is the share by which the energy's error may bound it: the
// counter advances in steps of about 0.1 s, so short windows have none to show.
const maxEnergyError = 0.1

func (r *Run) gpu(t *table, s *sight) {
	u := r.GPU
	if u == nil {
		return
	}
	put := func(metric string, v gpuprobe.Value, scale float64) {
		if v.Known {
			t.put(metric, v.N*scale, u.Samples)
		}
	}
	put("gpu-util-%", u.Utilization, 100)
	put("gpu-sm-%", u.SM, 100)
	put("gpu-dram-%", u.DRAM, 100)
	put("gpu-tensor-%", u.Tensor, 100)
	put("gpu-mem-B", u.Memory, 1)
	put("gpu-clock-Hz", u.SMClock, 1)
	put("gpu-W", u.Power, 1)
	if s.tokens > 0 {
		put("J/tok", u.Energy, 1/float64(s.tokens))
		put("net-J/tok", u.EnergyNet, 1/float64(s.tokens))
	}
	if u.Busy.Known {
		t.put("gpu-idle-%", 100*(1-u.Busy.N), u.Samples)
	}
	if u.GapsKnown {
		_, longest := u.Idle()
		t.put("gpu-gap-max-ns", float64(longest), u.Samples)
		if t.put("gpu-gaps", float64(len(u.Gaps)), u.Samples) {
			t.row.Gaps = r.gaps()
		}
	}
}

// gaps are the GPUs' idle gaps on the client's clock.
func (r *Run) gaps() (out []Window) {
	for _, g := range r.GPU.Gaps {
		out = append(out, Window{r.Window.From + g.From.Sub(r.GPU.From), r.Window.From + g.To.Sub(r.GPU.From)})
	}
	return out
}

// gpuFaults are the troubles of the window as faults of the GPU's metrics.
func (r *Run) gpuFaults() []fault {
	if r.GPU == nil {
		return nil
	}
	var out []fault
	if r.GPUNotServers != "" {
		out = append(out, fault{ruleOther, r.GPUNotServers})
	}
	for _, t := range r.GPU.Trouble {
		if t.Kind != gpuprobe.TroublePowerCap {
			out = append(out, fault{troubleRule(t.Kind), t.Text})
		}
	}
	if e := r.GPU.Energy; e.Known && r.GPU.EnergyError.N > maxEnergyError*e.N {
		reason := fmt.Sprintf("the counter's step bounds %.1f J to +- %.1f J only: run longer (-benchtime)", e.N, r.GPU.EnergyError.N)
		out = append(out, fault{ruleStep, reason})
	}
	return out
}

func ofEnergy(metric string) bool { return strings.HasSuffix(metric, "J/tok") }

func ofGPU(metric string) bool {
	return slices.ContainsFunc(gpuMetrics, func(m Metric) bool { return m.Name == metric })
}
