//go:build linux && cgo && !nonvml

package gpuprobe

import (
	"math"
	"unsafe"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
)

// describe returns what does not change of a GPU.
func (n *nvmlSource) describe(index int, dev nvml.Device) Device {
	c := &card{nvmlSource: n, dev: dev}
	d := Device{Index: index, Driver: n.driver}
	if n.can("nvmlDeviceGetName") {
		d.Name, _ = dev.GetName() // "" if it is not told
	}
	if n.can("nvmlDeviceGetUUID") {
		d.UUID, _ = dev.GetUUID()
	}
	if n.can("nvmlDeviceGetPciInfo", "nvmlDeviceGetPciInfo_v2", "nvmlDeviceGetPciInfo_v3") {
		if p, ret := dev.GetPciInfo(); ret == nvml.SUCCESS {
			d.PCI = cString(p.BusId[:])
		}
	}
	if n.can("nvmlDeviceGetMigMode") {
		mode, _, ret := dev.GetMigMode()
		d.MIG = ret == nvml.SUCCESS && mode == nvml.DEVICE_MIG_ENABLE
	}
	if n.can("nvmlDeviceGetComputeMode") {
		if mode, ret := dev.GetComputeMode(); ret == nvml.SUCCESS {
			d.ComputeMode = computeModes[mode]
		}
	}
	d.Memory = ask(c, "nvmlDeviceGetMemoryInfo", 1, func() (uint64, nvml.Return) {
		m, ret := dev.GetMemoryInfo()
		return m.Total, ret
	})
	d.BusWidth = ask(c, "nvmlDeviceGetMemoryBusWidth", 1, dev.GetMemoryBusWidth)
	d.MemoryClock = ask(c, "nvmlDeviceGetMaxClockInfo", 1e6, func() (uint32, nvml.Return) { return dev.GetMaxClockInfo(nvml.CLOCK_MEM) })
	d.SMClock = ask(c, "nvmlDeviceGetMaxClockInfo", 1e6, func() (uint32, nvml.Return) { return dev.GetMaxClockInfo(nvml.CLOCK_SM) })
	d.PowerLimit = ask(c, "nvmlDeviceGetEnforcedPowerLimit", 1e-3, dev.GetEnforcedPowerLimit)
	return d
}

var computeModes = map[nvml.ComputeMode]string{
	nvml.COMPUTEMODE_DEFAULT:           "default",
	nvml.COMPUTEMODE_EXCLUSIVE_THREAD:  "exclusive thread",
	nvml.COMPUTEMODE_PROHIBITED:        "prohibited",
	nvml.COMPUTEMODE_EXCLUSIVE_PROCESS: "exclusive process",
}

// cString returns a C string of chars that may be signed.
func cString(chars []int8) string {
	b := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(chars))), len(chars))
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

// processes lists the compute processes of all GPUs, or leaves nil if one does not tell them.
func (n *nvmlSource) processes(s *Sample) {
	if !n.can("nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetComputeRunningProcesses_v2", "nvmlDeviceGetComputeRunningProcesses_v3") {
		return
	}
	all := []Process{}
	for i, c := range n.cards {
		if c.lost {
			continue
		}
		infos, ret := c.dev.GetComputeRunningProcesses()
		if !c.ok(ret) {
			return
		}
		for _, info := range infos {
			all = append(all, Process{GPU: i, PID: int(info.Pid), Memory: Value{float64(info.UsedGpuMemory), info.UsedGpuMemory != math.MaxUint64}})
		}
	}
	s.Processes = all
}

// watch asks for Xid errors; without them n.events stays nil.
func (n *nvmlSource) watch() {
	if !n.can("nvmlEventSetCreate") || !n.can("nvmlEventSetWait", "nvmlEventSetWait_v2") || !n.can("nvmlEventSetFree") || !n.can("nvmlDeviceRegisterEvents") {
		return
	}
	set, ret := n.lib.EventSetCreate()
	if ret != nvml.SUCCESS {
		return
	}
	for _, c := range n.cards {
		if !c.ok(c.dev.RegisterEvents(nvml.EventTypeXidCriticalError, set)) {
			set.Free()
			return
		}
	}
	n.events = set
}

// collect counts the Xid errors since the last read, without waiting.
func (n *nvmlSource) collect() {
	for range 64 { // more at once are not worth counting
		if n.events == nil {
			return
		}
		e, ret := n.events.Wait(0)
		if ret != nvml.SUCCESS {
			return
		}
		for _, c := range n.cards {
			if c.dev == e.Device {
				c.xids++
				c.xid = float64(e.EventData)
			}
		}
	}
}
