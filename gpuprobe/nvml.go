//go:build linux && cgo && !nonvml

package gpuprobe

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
)

// An nvmlSource reads GPUs through the driver's own library.
//
// Calling a function that the installed library lacks ends the process: there
// is no error to catch. So nothing is called before can has found it.
type nvmlSource struct {
	lib    nvml.Interface
	symbol map[string]bool // what can has looked up
	driver string
	gpus   []Device
	cards  []*card
	events nvml.EventSet // nil: no Xid errors are told
}

// A card is one chosen GPU.
type card struct {
	nvmlSource *nvmlSource
	dev        nvml.Device
	gpm        *gpm // nil if the GPU has none
	lost       bool
	xids       float64 // Xid errors so far
	xid        float64 // the last
	fields     []nvml.FieldValue
}

// newNVML loads the driver's library and opens the GPUs that choose returns of all.
func newNVML(choose func([]Device) ([]Device, error)) (source, error) {
	return openLibrary(nvml.New(), choose)
}

func openLibrary(lib nvml.Interface, choose func([]Device) ([]Device, error)) (source, error) {
	n := &nvmlSource{lib: lib, symbol: map[string]bool{}}
	if ret := n.lib.Init(); ret != nvml.SUCCESS {
		return nil, n.initError(ret)
	}
	err := n.open(choose)
	if err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

func (n *nvmlSource) open(choose func([]Device) ([]Device, error)) error {
	if !n.can("nvmlDeviceGetCount", "nvmlDeviceGetCount_v2") || !n.can("nvmlDeviceGetHandleByIndex", "nvmlDeviceGetHandleByIndex_v2") {
		return &stateError{StateBroken, errors.New("libnvidia-ml.so.1 is too old to tell its GPUs: update the driver")}
	}
	count, ret := n.lib.DeviceGetCount()
	if ret != nvml.SUCCESS {
		return n.stateError("the driver does not count its GPUs", ret)
	}
	if n.can("nvmlSystemGetDriverVersion") {
		n.driver, _ = n.lib.SystemGetDriverVersion() // "" if it is not told
	}
	var all []Device
	handles := map[int]nvml.Device{}
	for i := range count {
		dev, ret := n.lib.DeviceGetHandleByIndex(i)
		if ret == nvml.ERROR_NO_PERMISSION || ret == nvml.ERROR_GPU_IS_LOST {
			continue // others may be open to this user, or still there
		}
		if ret != nvml.SUCCESS {
			return n.stateError(fmt.Sprintf("GPU %d does not open", i), ret)
		}
		handles[i] = dev
		all = append(all, n.describe(i, dev))
	}
	if count > 0 && len(all) == 0 {
		return &stateError{StateNoPermission, errors.New("the driver opens none of its GPUs to this user: see the permissions of /dev/nvidia*")}
	}
	var err error
	if n.gpus, err = choose(all); err != nil {
		return err
	}
	for i := range n.gpus {
		c := &card{nvmlSource: n, dev: handles[n.gpus[i].Index], fields: slices.Clone(throttleFields)}
		c.gpm = n.newGPM(c.dev)
		n.gpus[i].GPM = c.gpm != nil
		n.cards = append(n.cards, c)
	}
	n.watch()
	return nil
}

// can says whether the library has one of the names: of a function that
// go-nvml calls in its newest version, the names of all versions.
func (n *nvmlSource) can(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		has, looked := n.symbol[name]
		if !looked {
			has = n.lib.Extensions().LookupSymbol(name) == nil
			n.symbol[name] = has
		}
		return has
	})
}

func (n *nvmlSource) devices() []Device { return n.gpus }

func (n *nvmlSource) read(s *Sample, processes bool) error {
	before := time.Now()
	for i, c := range n.cards {
		c.read(&s.GPUs[i])
	}
	n.collect()
	s.At = before.Add(time.Since(before) / 2)
	for i, c := range n.cards {
		c.finish(&s.GPUs[i], s.At, n.events != nil)
	}
	if processes {
		n.processes(s)
	}
	return nil
}

func (n *nvmlSource) close() error {
	for _, c := range n.cards {
		c.gpm.free()
	}
	if n.events != nil {
		n.events.Free()
	}
	if !n.can("nvmlShutdown") {
		return nil
	}
	if ret := n.lib.Shutdown(); ret != nvml.SUCCESS {
		return n.stateError("NVML does not shut down", ret)
	}
	return nil
}

func (n *nvmlSource) initError(ret nvml.Return) error {
	switch ret {
	case nvml.ERROR_LIBRARY_NOT_FOUND:
		return &stateError{StateNoDriver, errors.New("libnvidia-ml.so.1 is not there: install the NVIDIA driver, or mount it into the container")}
	case nvml.ERROR_DRIVER_NOT_LOADED:
		return &stateError{StateNoDriver, fmt.Errorf("the NVIDIA kernel module is not loaded: %w", n.error(ret))}
	case nvml.ERROR_LIB_RM_VERSION_MISMATCH:
		return &stateError{StateBroken, fmt.Errorf("the driver's library and kernel module differ, reboot or reload the module: %w", n.error(ret))}
	}
	return n.stateError("NVML does not start", ret)
}

// stateError wraps what the driver refused.
func (n *nvmlSource) stateError(what string, ret nvml.Return) error {
	name := StateBroken
	switch ret {
	case nvml.ERROR_NO_PERMISSION:
		name = StateNoPermission
	case nvml.ERROR_GPU_IS_LOST:
		name = StateLost
	}
	return &stateError{name, fmt.Errorf("%s: %w", what, n.error(ret))}
}

// error returns ret with its text, which only the library has.
func (n *nvmlSource) error(ret nvml.Return) error {
	if n.can("nvmlErrorString") {
		return ret
	}
	return fmt.Errorf("NVML error %d", int(ret))
}
