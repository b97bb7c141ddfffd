package gpuprobe

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

const mib = 1 << 20

// A row is what a page tells of one GPU: fields by name, in the exporter's units.
type row struct {
	device Device
	fields map[string]float64
}

// readPage reads a DCGM exporter's page, sorted by index and UUID. Fields are
// named and measured as in "Field Identifiers" of the DCGM API reference and in
// dcgm-exporter's etc/default-counters.csv. Rows of MIG instances give no
// figures: they only say that the GPU is split.
func readPage(r io.Reader) ([]row, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation) // a parser without a scheme panics
	families, err := parser.TextToMetricFamilies(r)
	if err != nil {
		return nil, fmt.Errorf("its page is not Prometheus' text format (%s): give the URL of a DCGM exporter's metrics page", clean(err.Error()))
	}
	byGPU := map[string]*row{}
	for name, family := range families {
		if !strings.HasPrefix(name, "DCGM_FI_") {
			continue
		}
		for _, m := range family.GetMetric() {
			add(byGPU, name, family.GetType(), m)
		}
	}
	var rows []row
	for _, r := range byGPU {
		r.describe()
		rows = append(rows, *r)
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.device.Index, b.device.Index), cmp.Compare(a.device.UUID, b.device.UUID))
	})
	return rows, nil
}

// add puts one metric into its GPU's row.
func add(byGPU map[string]*row, name string, kind dto.MetricType, m *dto.Metric) {
	l := labels(m)
	index, err := strconv.Atoi(l["gpu"])
	if err != nil || index < 0 {
		return
	}
	key := l["gpu"] + " " + l["UUID"]
	r := byGPU[key]
	if r == nil {
		r = &row{fields: map[string]float64{}, device: Device{
			Index: index, UUID: l["UUID"], Name: l["modelName"], Driver: l["DCGM_FI_DRIVER_VERSION"], PCI: l["pci_bus_id"],
			Host: cmp.Or(l["Hostname"], l["hostname"]),
		}}
		byGPU[key] = r
	}
	_, marked := l["vllmsim"]
	r.device.Simulated = r.device.Simulated || marked || strings.HasPrefix(l["modelName"], "simulated ")
	if l["GPU_I_ID"] != "" {
		r.device.MIG = true
		return
	}
	// Some lists of counters declare PCIe's rates as counters, others sum them up: only a gauge is clear.
	if strings.HasPrefix(name, "DCGM_FI_PROF_PCIE_") && kind != dto.MetricType_GAUGE {
		return
	}
	if n := number(m); told(n) {
		r.fields[name] = n
	}
}

func labels(m *dto.Metric) map[string]string {
	l := map[string]string{}
	for _, p := range m.GetLabel() {
		l[p.GetName()] = clean(p.GetValue())
	}
	return l
}

func number(m *dto.Metric) float64 {
	switch {
	case m.Counter != nil:
		return m.GetCounter().GetValue()
	case m.Gauge != nil:
		return m.GetGauge().GetValue()
	case m.Untyped != nil:
		return m.GetUntyped().GetValue()
	}
	return math.NaN()
}

// told says whether n is a figure and not one of DCGM's blanks, which say that
// a field is unknown or not supported (dcgm_structs.h: DCGM_INT32_BLANK,
// DCGM_FP64_BLANK, DCGM_INT64_BLANK and the fifteen after each).
func told(n float64) bool {
	const int32Blank, fp64Blank, int64Blank = 0x7ffffff0, 140737488355328, 9.22e18
	switch {
	case math.IsNaN(n) || n < 0 || n >= int64Blank:
		return false
	case n >= int32Blank && n < int32Blank+16, n >= fp64Blank && n < fp64Blank+16:
		return false
	}
	return true
}

// field returns the first of names that the row has, times scale.
func (r *row) field(scale float64, names ...string) Value {
	for _, name := range names {
		if n, ok := r.fields[name]; ok {
			return known(n * scale)
		}
	}
	return Value{}
}

// describe fills the device from fields.
func (r *row) describe() {
	d := &r.device
	d.Memory = r.field(mib, "DCGM_FI_DEV_FB_TOTAL")
	used, free := r.field(mib, "DCGM_FI_DEV_FB_USED"), r.field(mib, "DCGM_FI_DEV_FB_FREE")
	if !d.Memory.Known && used.Known && free.Known {
		d.Memory = known(used.N + free.N + r.field(mib, "DCGM_FI_DEV_FB_RESERVED").N)
	}
	d.PowerLimit = r.field(1, "DCGM_FI_DEV_POWER_MGMT_LIMIT")
	d.SMClock = r.field(1e6, "DCGM_FI_DEV_MAX_SM_CLOCK")
	d.MemoryClock = r.field(1e6, "DCGM_FI_DEV_MAX_MEM_CLOCK")
	d.GPM = r.field(1, dramFields...).Known
}

var (
	smFields     = []string{"DCGM_FI_PROF_SM_ACTIVE", "DCGM_FI_PROF_SM_UTIL_RATIO"}
	dramFields   = []string{"DCGM_FI_PROF_DRAM_ACTIVE", "DCGM_FI_PROF_DRAM_UTIL_RATIO"}
	tensorFields = []string{"DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", "DCGM_FI_PROF_TENSOR_UTIL_RATIO"}
	engineFields = []string{"DCGM_FI_PROF_GR_ENGINE_ACTIVE", "DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO"}
)

// reading returns the row's figures. DCGM_FI_DEV_GPU_UTIL's new name is left
// out, because a 1 under it may be 1 % or all.
func (r *row) reading() Reading {
	return Reading{
		Utilization: r.field(0.01, "DCGM_FI_DEV_GPU_UTIL"),
		Memory:      r.field(mib, "DCGM_FI_DEV_FB_USED"),
		Graphics:    r.field(1, engineFields...),
		SM:          r.field(1, smFields...),
		DRAM:        r.field(1, dramFields...),
		Tensor:      r.field(1, tensorFields...),
		PCIeTX:      r.field(1, "DCGM_FI_PROF_PCIE_TX_BYTES"),
		PCIeRX:      r.field(1, "DCGM_FI_PROF_PCIE_RX_BYTES"),
		Power:       r.field(1, "DCGM_FI_DEV_POWER_USAGE"),
		Energy:      r.field(1e-3, "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"),
		SMClock:     r.field(1e6, "DCGM_FI_DEV_SM_CLOCK"),
		MemoryClock: r.field(1e6, "DCGM_FI_DEV_MEM_CLOCK"),
		Temperature: r.field(1, "DCGM_FI_DEV_GPU_TEMP", "DCGM_FI_DEV_GPU_TEMP_CELSIUS"),
		Throttled:   r.field(1, "DCGM_FI_DEV_CLOCKS_EVENT_REASONS", "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS"),
		ECC:         r.field(1, "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL"),
		Xid:         r.field(1, "DCGM_FI_DEV_XID_ERRORS"),
	}
}
