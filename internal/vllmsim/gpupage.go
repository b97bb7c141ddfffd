package vllmsim

import (
	"math"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// gpuPath is where the simulated GPU's page is: a DCGM exporter's, on the port
// of the API. Its labels say what it is, wherever a reader looks.
const gpuPath = "/dcgm/metrics"

// page answers with the GPU's fields.
func (g *gpu) page() http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(gpuCollector{g, g.fields()})
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{})
}

// A gpuField is one series of the page.
type gpuField struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(gpuReading) float64
}

// A gpuCollector shows one reading in all fields of a scrape.
type gpuCollector struct {
	gpu    *gpu
	fields []gpuField
}

func (c gpuCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, f := range c.fields {
		ch <- f.desc
	}
}

func (c gpuCollector) Collect(ch chan<- prometheus.Metric) {
	r := c.gpu.read(time.Now())
	for _, f := range c.fields {
		ch <- prometheus.MustNewConstMetric(f.desc, f.kind, f.value(r))
	}
}

// fields lists the exporter's fields, of which a driver would round some to
// whole numbers, and below them the totals from which a reader can compute the
// exact mean over any window.
//
// Clocks stay at their highest, nothing is throttled and no error occurs. The
// temperature follows the power without delay: 30 degrees and 40 at the limit.
func (g *gpu) fields() []gpuField {
	labels := prometheus.Labels{
		"gpu": "0", "UUID": "GPU-00000000-0000-0000-0000-000000000000", "pci_bus_id": "00000000:00:00.0", "device": "vllmsim0",
		"modelName": "simulated " + g.spec.Name, "Hostname": "vllmsim", "DCGM_FI_DRIVER_VERSION": "vllmsim",
	}
	field := func(kind prometheus.ValueType, name, help string, value func(gpuReading) float64) gpuField {
		return gpuField{prometheus.NewDesc(name, help, nil, labels), kind, value}
	}
	gauge := func(name, help string, value func(gpuReading) float64) gpuField {
		return field(prometheus.GaugeValue, "DCGM_FI_"+name, "Simulated: "+help, value)
	}
	fixed := func(name, help string, value float64) gpuField {
		return gauge(name, help, func(gpuReading) float64 { return value })
	}
	counter := func(name, help string, value func(gpuReading) float64) gpuField {
		return field(prometheus.CounterValue, name, "Simulated: "+help, value)
	}
	used, total := math.Round(g.memory/mebi), math.Round(g.spec.Memory/mebi)
	return []gpuField{
		gauge("DEV_GPU_UTIL", "time with a kernel running, %.", func(r gpuReading) float64 { return 100 * r.gpuMeans.busy }),
		gauge("PROF_GR_ENGINE_ACTIVE", "time with a kernel running, 0 to 1.", func(r gpuReading) float64 { return r.gpuMeans.busy }),
		gauge("PROF_SM_ACTIVE", "SMs with a warp, 0 to 1.", func(r gpuReading) float64 { return r.gpuMeans.sm }),
		gauge("PROF_PIPE_TENSOR_ACTIVE", "tensor cores at work, 0 to 1.", func(r gpuReading) float64 { return r.gpuMeans.tensor }),
		gauge("PROF_DRAM_ACTIVE", "share of the memory's peak bandwidth, 0 to 1.", func(r gpuReading) float64 { return r.dram }),
		gauge("DEV_POWER_USAGE", "power, W.", func(r gpuReading) float64 { return r.watts }),
		gauge("DEV_GPU_TEMP", "temperature, C.", func(r gpuReading) float64 { return 30 + 40*r.watts/g.spec.PowerLimit }),
		counter("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "energy, mJ.", func(r gpuReading) float64 { return 1000 * r.energy }),
		fixed("DEV_FB_USED", "memory that weights, KV blocks and activations take, MiB.", used),
		fixed("DEV_FB_FREE", "other memory, MiB.", max(0, total-used)),
		fixed("DEV_SM_CLOCK", "SM clock, MHz.", g.spec.SMClock/mega),
		fixed("DEV_MEM_CLOCK", "memory clock, MHz.", g.spec.MemoryClock/mega),
		fixed("DEV_MAX_SM_CLOCK", "highest SM clock, MHz.", g.spec.SMClock/mega),
		fixed("DEV_MAX_MEM_CLOCK", "highest memory clock, MHz.", g.spec.MemoryClock/mega),
		fixed("DEV_POWER_MGMT_LIMIT", "power limit, W.", g.spec.PowerLimit),
		fixed("DEV_XID_ERRORS", "last XID error, 0 for none.", 0),

		counter("vllmsim_gpu_busy_seconds_total", "time with a kernel running.", func(r gpuReading) float64 { return r.gpuWork.busy }),
		counter("vllmsim_gpu_dram_bytes_total", "device memory read and written.", func(r gpuReading) float64 { return r.bytes }),
		counter("vllmsim_gpu_flops_total", "operations.", func(r gpuReading) float64 { return r.flops }),
	}
}

const (
	mebi = 1 << 20
	mega = 1e6
)
