package roofline

import (
	"fmt"
	"slices"
	"strings"
)

// A GPU is what bounds inference on one device.
type GPU struct {
	Name        string  `json:"name"`
	Memory      float64 `json:"memory_B,omitempty"`        // bytes
	Bandwidth   float64 `json:"bandwidth_B/s"`             // peak bytes/s of device memory
	FLOPS       float64 `json:"flops"`                     // peak dense bf16 operations/s
	PowerLimit  float64 `json:"power_limit_W,omitempty"`   // watts
	SMClock     float64 `json:"sm_clock_Hz,omitempty"`     // highest, Hz
	MemoryClock float64 `json:"memory_clock_Hz,omitempty"` // highest, Hz; memory transfers twice a cycle
	Link        float64 `json:"link_B/s,omitempty"`        // to other GPUs, bytes/s in each direction
}

// Derated returns the GPU at a share of its peaks, each in (0, 1]: what
// kernels reach rather than what the data sheet says.
func (g GPU) Derated(bandwidth, flops float64) GPU {
	g.Bandwidth *= bandwidth
	g.FLOPS *= flops
	return g
}

// A Device is what a driver tells of a GPU. Zero fields but Name are unknown,
// and the data sheet's stand for them.
type Device struct {
	Name        string  // as NVML has it: "NVIDIA H200"
	Memory      float64 // bytes
	BusWidth    float64 // of device memory, bits
	MemoryClock float64 // highest, Hz
	PowerLimit  float64 // watts
}

// simulatedPrefix marks the device names of the embedded server.
const simulatedPrefix = "simulated "

// GPU returns the device's peaks. The bandwidth is that of bus width and memory
// clock, two transfers a cycle; no driver tells the operations/s, which come
// from a table by name. The error names the devices that the table has. A MIG
// instance is none of them: its share of the bandwidth is not known.
func (d Device) GPU() (GPU, error) {
	name := strings.TrimPrefix(strings.TrimPrefix(d.Name, "NVIDIA "), simulatedPrefix)
	all := cards()
	i := slices.IndexFunc(all, func(c card) bool {
		return strings.EqualFold(c.device, name) || strings.EqualFold(c.Name, name)
	})
	if i < 0 {
		known := make([]string, len(all))
		for i, c := range all {
			known[i] = c.device
		}
		return GPU{}, fmt.Errorf("no peak FLOP/s known for device %q: the known ones are %s", d.Name, strings.Join(known, ", "))
	}
	g := all[i].GPU
	if d.BusWidth > 0 && d.MemoryClock > 0 {
		g.Bandwidth = float64(d.BusWidth) / 8 * d.MemoryClock * 2
	}
	replace(&g.Memory, d.Memory)
	replace(&g.MemoryClock, d.MemoryClock)
	replace(&g.PowerLimit, d.PowerLimit)
	return g, nil
}

func replace(p *float64, known float64) {
	if known > 0 {
		*p = known
	}
}
