//go:build linux && cgo && !nonvml

package gpuprobe

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
)

// throttleFields are the counters of throttled ns, by Reason, and the averaged
// power last. HWSlowdown has no counter.
var throttleFields = []nvml.FieldValue{
	{FieldId: nvml.FI_DEV_CLOCKS_EVENT_REASON_SW_POWER_CAP},
	{FieldId: nvml.FI_DEV_CLOCKS_EVENT_REASON_SW_THERM_SLOWDOWN},
	{FieldId: nvml.FI_DEV_CLOCKS_EVENT_REASON_HW_THERM_SLOWDOWN},
	{FieldId: nvml.FI_DEV_CLOCKS_EVENT_REASON_HW_POWER_BRAKE_SLOWDOWN},
	{FieldId: nvml.FI_DEV_CLOCKS_EVENT_REASON_SYNC_BOOST},
	{FieldId: nvml.FI_DEV_POWER_AVERAGE},
}

// ask calls get if the library has the function, and scales its answer.
func ask[T uint32 | uint64](c *card, function string, scale float64, get func() (T, nvml.Return)) Value {
	if c.lost || !c.nvmlSource.can(function) {
		return Value{}
	}
	n, ret := get()
	if !c.ok(ret) {
		return Value{}
	}
	return known(float64(n) * scale)
}

// ok says whether a call succeeded, and notes the loss of the GPU: a lost one is asked nothing more.
func (c *card) ok(ret nvml.Return) bool {
	c.lost = c.lost || ret == nvml.ERROR_GPU_IS_LOST || ret == nvml.ERROR_GPU_NOT_FOUND
	return ret == nvml.SUCCESS
}

// read fills r but for what finish adds. The energy counter comes first, next
// to the instant that the sample is stamped with.
func (c *card) read(r *Reading) {
	r.Energy = ask(c, "nvmlDeviceGetTotalEnergyConsumption", 1e-3, c.dev.GetTotalEnergyConsumption)
	c.gpm.read(c, r)
	if !c.lost && c.nvmlSource.can("nvmlDeviceGetUtilizationRates") {
		if u, ret := c.dev.GetUtilizationRates(); c.ok(ret) {
			r.Utilization = known(float64(u.Gpu) / 100)
		}
	}
	r.Memory = c.memory()
	r.SMClock = ask(c, "nvmlDeviceGetClockInfo", 1e6, func() (uint32, nvml.Return) { return c.dev.GetClockInfo(nvml.CLOCK_SM) })
	r.MemoryClock = ask(c, "nvmlDeviceGetClockInfo", 1e6, func() (uint32, nvml.Return) { return c.dev.GetClockInfo(nvml.CLOCK_MEM) })
	r.Temperature = c.temperature()
	r.Throttled = ask(c, "nvmlDeviceGetCurrentClocksEventReasons", 1, c.dev.GetCurrentClocksEventReasons)
	if !c.nvmlSource.can("nvmlDeviceGetCurrentClocksEventReasons") {
		r.Throttled = ask(c, "nvmlDeviceGetCurrentClocksThrottleReasons", 1, c.dev.GetCurrentClocksThrottleReasons)
	}
	r.ECC = ask(c, "nvmlDeviceGetTotalEccErrors", 1, func() (uint64, nvml.Return) {
		return c.dev.GetTotalEccErrors(nvml.MEMORY_ERROR_TYPE_UNCORRECTED, nvml.VOLATILE_ECC)
	})
	c.readFields(r)
	if !r.Power.Known {
		r.Power = ask(c, "nvmlDeviceGetPowerUsage", 1e-3, c.dev.GetPowerUsage)
	}
}

// memory returns the bytes in use. The old call counts the driver's reserve among them.
func (c *card) memory() Value {
	if c.nvmlSource.can("nvmlDeviceGetMemoryInfo_v2") {
		return ask(c, "nvmlDeviceGetMemoryInfo_v2", 1, func() (uint64, nvml.Return) {
			m, ret := c.dev.GetMemoryInfo_v2()
			return m.Used, ret
		})
	}
	return ask(c, "nvmlDeviceGetMemoryInfo", 1, func() (uint64, nvml.Return) {
		m, ret := c.dev.GetMemoryInfo()
		return m.Used, ret
	})
}

// temperature asks the newer call first: the older one is deprecated since NVML 13.
func (c *card) temperature() Value {
	t := ask(c, "nvmlDeviceGetTemperatureV", 1, func() (uint32, nvml.Return) {
		t, ret := c.dev.GetTemperatureV().V1()
		return uint32(max(t.Temperature, 0)), ret
	})
	if t.Known {
		return t
	}
	return ask(c, "nvmlDeviceGetTemperature", 1, func() (uint32, nvml.Return) { return c.dev.GetTemperature(nvml.TEMPERATURE_GPU) })
}

// readFields reads the counters of throttled time and the average power.
func (c *card) readFields(r *Reading) {
	if c.lost || !c.nvmlSource.can("nvmlDeviceGetFieldValues") || !c.ok(c.dev.GetFieldValues(c.fields)) {
		return
	}
	last := len(c.fields) - 1
	for i, f := range c.fields[:last] {
		r.Throttle[i] = fieldValue(f, 1e-9)
	}
	r.Power = fieldValue(c.fields[last], 1e-3)
}

func fieldValue(f nvml.FieldValue, scale float64) Value {
	if nvml.Return(f.NvmlReturn) != nvml.SUCCESS {
		return Value{}
	}
	bits := binary.NativeEndian.Uint64(f.Value[:])
	switch nvml.ValueType(f.ValueType) {
	case nvml.VALUE_TYPE_DOUBLE:
		return known(math.Float64frombits(bits) * scale)
	case nvml.VALUE_TYPE_UNSIGNED_INT, nvml.VALUE_TYPE_SIGNED_INT:
		return known(float64(binary.NativeEndian.Uint32(f.Value[:4])) * scale)
	case nvml.VALUE_TYPE_UNSIGNED_LONG, nvml.VALUE_TYPE_UNSIGNED_LONG_LONG, nvml.VALUE_TYPE_SIGNED_LONG_LONG:
		return known(float64(bits) * scale)
	}
	return Value{}
}

// finish adds what needs the instant of the sample or the events of all GPUs.
func (c *card) finish(r *Reading, at time.Time, events bool) {
	if c.lost {
		*r = Reading{Lost: true}
		return
	}
	c.gpm.finish(r, at)
	if events {
		r.Xids, r.Xid = known(c.xids), known(c.xid)
	}
}
