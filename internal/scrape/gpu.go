package scrape

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"vllmbench/gpuprobe"
)

// stale is the age beyond which a read of the GPUs is not shown.
const stale = 10 * time.Second

// A gpuFigure is one series of each GPU.
type gpuFigure struct {
	name, help string
	kind       prometheus.ValueType
	value      func(*gpuprobe.Reading) gpuprobe.Value
}

var gpuFigures = []gpuFigure{
	{"power_watts", "Power.", prometheus.GaugeValue, func(r *gpuprobe.Reading) gpuprobe.Value { return r.Power }},
	{"energy_joules_total", "Energy since the driver's counter began.", prometheus.CounterValue, func(r *gpuprobe.Reading) gpuprobe.Value { return r.Energy }},
	{"memory_used_bytes", "Memory in use.", prometheus.GaugeValue, func(r *gpuprobe.Reading) gpuprobe.Value { return r.Memory }},
	{"utilization_ratio", "Share of time in which a kernel ran.", prometheus.GaugeValue, func(r *gpuprobe.Reading) gpuprobe.Value { return r.Utilization }},
	{"sm_active_ratio", "Share of the SMs that had work.", prometheus.GaugeValue, func(r *gpuprobe.Reading) gpuprobe.Value { return r.SM }},
	{"dram_active_ratio", "Share of the memory bandwidth in use.", prometheus.GaugeValue, func(r *gpuprobe.Reading) gpuprobe.Value { return r.DRAM }},
	{"tensor_active_ratio", "Share of the tensor cores' cycles in use.", prometheus.GaugeValue, func(r *gpuprobe.Reading) gpuprobe.Value { return r.Tensor }},
	{"sm_clock_hertz", "Clock of the SMs.", prometheus.GaugeValue, func(r *gpuprobe.Reading) gpuprobe.Value { return r.SMClock }},
	{"temperature_celsius", "Temperature.", prometheus.GaugeValue, func(r *gpuprobe.Reading) gpuprobe.Value { return r.Temperature }},
}

// GPUs show the sampler's last read: a scrape asks no driver.
type gpus struct {
	probe *gpuprobe.Probe
	descs []*prometheus.Desc // of gpuFigures, in their order
}

func newGPUs(p *gpuprobe.Probe) *gpus {
	g := &gpus{probe: p}
	for _, f := range gpuFigures {
		g.descs = append(g.descs, prometheus.NewDesc(namespace+"gpu_"+f.name, f.help, []string{"gpu", "uuid", "gpu_name"}, nil))
	}
	return g
}

// Describe implements prometheus.Collector.
func (g *gpus) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range g.descs {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (g *gpus) Collect(ch chan<- prometheus.Metric) {
	now := time.Now()
	samples := g.probe.Samples(now.Add(-stale), now)
	if len(samples) == 0 {
		return
	}
	last := samples[len(samples)-1]
	for i, d := range g.probe.Devices() {
		if i >= len(last.GPUs) {
			return
		}
		for k, f := range gpuFigures {
			if v := f.value(&last.GPUs[i]); v.Known {
				ch <- prometheus.MustNewConstMetric(g.descs[k], f.kind, v.N, strconv.Itoa(d.Index), valid(d.UUID), valid(d.Name))
			}
		}
	}
}
