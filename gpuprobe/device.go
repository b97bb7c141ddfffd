package gpuprobe

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Device is one GPU.
type Device struct {
	Index  int    // as the source counts; NVML counts in PCI order
	UUID   string // like GPU-8f6f...
	Name   string // like NVIDIA H200
	Driver string // the driver's version
	PCI    string // the bus id
	Host   string // an exporter's host, "" for this one

	Memory      Value // bytes
	BusWidth    Value // of the memory, bits
	MemoryClock Value // highest, Hz; peak bytes/s = BusWidth/8 * MemoryClock * 2
	SMClock     Value // highest, Hz
	PowerLimit  Value // W

	MIG         bool   // split into instances: the driver tells no utilisation of the whole, and this package reads no instance
	ComputeMode string // default, exclusive process, prohibited; "" if unknown
	GPM         bool   // tells SM, DRAM and tensor activity
	Simulated   bool   // an exporter says that this is no real GPU
}

// chooseDevices returns the devices of a list of indices and UUIDs, in the
// list's order, or all for an empty list.
func chooseDevices(all []Device, list string) ([]Device, error) {
	if list == "" {
		if len(all) == 0 {
			return nil, &stateError{StateNoGPU, fmt.Errorf("there is none")}
		}
		return all, nil
	}
	var chosen []Device
	for name := range strings.SplitSeq(list, ",") {
		d, ok := findDevice(all, strings.TrimSpace(name))
		if !ok {
			return nil, fmt.Errorf("GPU %q is not there: choose from %s", name, names(all))
		}
		if !slices.ContainsFunc(chosen, func(c Device) bool { return c.UUID == d.UUID && c.Index == d.Index }) {
			chosen = append(chosen, d)
		}
	}
	return chosen, nil
}

// visibleDevices is chooseDevices with the rules of CUDA_VISIBLE_DEVICES: the
// list ends at the first name that is not there. CUDA counts its fastest GPU as
// 0 unless CUDA_DEVICE_ORDER=PCI_BUS_ID; among equal GPUs both orders agree.
// See "CUDA Environment Variables" in the CUDA C++ programming guide.
func visibleDevices(all []Device, list string) (visible []Device) {
	for name := range strings.SplitSeq(list, ",") {
		d, ok := findDevice(all, strings.TrimSpace(name))
		if !ok {
			break
		}
		visible = append(visible, d)
	}
	return visible
}

func findDevice(all []Device, name string) (Device, bool) {
	i, err := strconv.Atoi(name)
	for _, d := range all {
		if (err == nil && d.Index == i) || (len(name) > len("GPU-") && strings.HasPrefix(d.UUID, name)) {
			return d, true
		}
	}
	return Device{}, false
}

func names(all []Device) string {
	var s []string
	for _, d := range all {
		s = append(s, fmt.Sprintf("%d (%s)", d.Index, d.UUID))
	}
	if len(s) == 0 {
		return "none"
	}
	return strings.Join(s, ", ")
}

// clean makes a foreign text fit for one line of a terminal.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "") + "..."
	}
	return s
}
