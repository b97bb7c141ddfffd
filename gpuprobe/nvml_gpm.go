//go:build linux && cgo && !nonvml

package gpuprobe

import (
	"time"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
)

// gpmRefresh is how far apart two GPM samples must be (nvml.h: more than 100 ms).
const gpmRefresh = 105 * time.Millisecond

// A gpm reads a GPU's performance monitor: means between two of its samples.
// Hopper and newer have it, and some others. A nil gpm tells nothing.
type gpm struct {
	lib        nvml.Interface
	prev, next nvml.GpmSample
	request    nvml.GpmMetricsGetType // 20 kB: one for all reads
	taken      time.Time              // when prev was, zero: never
	at         time.Time              // the instant of the sample that prev belongs to
	fresh      bool                   // prev was taken in this read
}

// newGPM returns nil if the library or the GPU has no performance monitor.
func (n *nvmlSource) newGPM(dev nvml.Device) *gpm {
	for _, f := range []string{"nvmlGpmQueryDeviceSupport", "nvmlGpmSampleAlloc", "nvmlGpmSampleFree", "nvmlGpmSampleGet", "nvmlGpmMetricsGet"} {
		if !n.can(f) {
			return nil
		}
	}
	support, ret := dev.GpmQueryDeviceSupport()
	if ret != nvml.SUCCESS || support.IsSupportedDevice == 0 {
		return nil
	}
	g := &gpm{lib: n.lib}
	if g.prev, ret = n.lib.GpmSampleAlloc(); ret != nvml.SUCCESS {
		return nil
	}
	if g.next, ret = n.lib.GpmSampleAlloc(); ret != nvml.SUCCESS {
		g.prev.Free()
		return nil
	}
	return g
}

func (g *gpm) free() {
	if g != nil {
		g.prev.Free()
		g.next.Free()
	}
}

// read fills r's activity since the last sample, unless that is too young: the next read then covers both.
func (g *gpm) read(c *card, r *Reading) {
	if g == nil || c.lost {
		return
	}
	now := time.Now()
	if !g.taken.IsZero() && now.Sub(g.taken) < gpmRefresh {
		return
	}
	if !c.ok(c.dev.GpmSampleGet(g.next)) {
		return
	}
	if !g.taken.IsZero() {
		g.metrics(r)
	}
	g.prev, g.next = g.next, g.prev
	g.taken, g.fresh = now, true
}

func (g *gpm) metrics(r *Reading) {
	into := []struct {
		id    nvml.GpmMetricId
		value *Value
		scale float64
	}{
		{nvml.GPM_METRIC_GRAPHICS_UTIL, &r.Graphics, 0.01},
		{nvml.GPM_METRIC_SM_UTIL, &r.SM, 0.01},
		{nvml.GPM_METRIC_DRAM_BW_UTIL, &r.DRAM, 0.01},
		{nvml.GPM_METRIC_ANY_TENSOR_UTIL, &r.Tensor, 0.01},
		{nvml.GPM_METRIC_PCIE_TX_PER_SEC, &r.PCIeTX, mib},
		{nvml.GPM_METRIC_PCIE_RX_PER_SEC, &r.PCIeRX, mib},
	}
	g.request.NumMetrics, g.request.Sample1, g.request.Sample2 = uint32(len(into)), g.prev, g.next
	for i, m := range into {
		g.request.Metrics[i] = nvml.GpmMetric{MetricId: uint32(m.id)}
	}
	if g.lib.GpmMetricsGet(&g.request) != nvml.SUCCESS {
		return
	}
	for i, m := range into {
		if got := g.request.Metrics[i]; nvml.Return(got.NvmlReturn) == nvml.SUCCESS {
			*m.value = known(got.Value * m.scale)
		}
	}
}

// finish says of which interval the activity in r is.
func (g *gpm) finish(r *Reading, at time.Time) {
	if g == nil || !g.fresh {
		return
	}
	r.Since, g.at, g.fresh = g.at, at, false
}
