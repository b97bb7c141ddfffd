package gpuprobe

import "time"

// A Value is a number that a GPU may not tell.
type Value struct {
	N     float64
	Known bool
}

func known(n float64) Value { return Value{n, true} }

// A Sample is one read of all GPUs of a Probe.
type Sample struct {
	At        time.Time     // the middle of the read
	Took      time.Duration // what the read cost
	GPUs      []Reading     // in the order of Devices
	Processes []Process     // nil if they were not read: most samples leave them out
}

// A Reading is what one GPU told.
type Reading struct {
	Since time.Time // start of the interval of Graphics to PCIeRX; it ends with the sample
	Lost  bool      // the GPU is gone, and all below unknown

	Utilization Value // share of the driver's last period (1/6 to 1 s) in which a kernel ran, 0 to 1
	Memory      Value // bytes in use

	Graphics Value // share of the interval with any work, 0 to 1
	SM       Value // share of SMs with a warp, 0 to 1
	DRAM     Value // share of the memory bandwidth, 0 to 1
	Tensor   Value // share of the tensor cores' cycles, 0 to 1
	PCIeTX   Value // bytes/s from the GPU
	PCIeRX   Value // bytes/s to the GPU

	Power       Value // W, the driver's average of about a second where it has one
	Energy      Value // J, a counter in steps of about 0.1 s
	SMClock     Value // Hz
	MemoryClock Value // Hz
	Temperature Value // °C

	Throttle  [Reasons]Value // seconds throttled, counters
	Throttled Value          // reasons at this instant, bits as in nvmlClocksEventReasons

	ECC  Value // uncorrected memory errors since the driver was loaded, a counter
	Xids Value // Xid errors seen by this Probe, a counter; an exporter tells only whether there was one
	Xid  Value // number of the last Xid error
}

// A Reason is why a GPU ran below the clock that was asked for.
type Reason int

// The reasons. PowerCap alone is usual at full load: cards are sold with more clock than power.
const (
	PowerCap   Reason = iota // at the power limit
	SWThermal                // the driver slows for heat
	HWThermal                // the hardware slows for heat
	PowerBrake               // the power supply asks for less
	SyncBoost                // a GPU of the same group is slow
	HWSlowdown               // the hardware slows, for heat or the supply
	Reasons                  // their number
)

// The bits of nvmlClocksEventReasons (nvml.h), by Reason.
var reasonBits = [Reasons]uint64{0x4, 0x20, 0x40, 0x80, 0x10, 0x8}

func (r Reason) String() string {
	if r < 0 || r >= Reasons {
		return "unknown reason"
	}
	return [Reasons]string{"power cap", "driver thermal", "hardware thermal", "power brake", "sync boost", "hardware slowdown"}[r]
}

// ThrottledBy returns the reasons at this instant.
func (r Reading) ThrottledBy() (reasons []Reason) {
	for i, bit := range reasonBits {
		if r.Throttled.Known && uint64(r.Throttled.N)&bit != 0 {
			reasons = append(reasons, Reason(i))
		}
	}
	return reasons
}

// A Process is a user of a GPU.
type Process struct {
	GPU      int   // index into Devices
	PID      int   // as the driver sees it: a container may see another
	Memory   Value // bytes on the GPU
	Expected bool  // named by Expect, or a child of one that was
}

// A source reads GPUs. It is used by one goroutine at a time.
type source interface {
	devices() []Device
	// read fills s.GPUs, which has the length of devices(), and sets s.Processes
	// if processes is true and it can tell them (empty, not nil, if there are none).
	// At is set, and may be moved to the instant that the readings are of.
	read(s *Sample, processes bool) error
	close() error
}

// noSource has no GPUs.
type noSource struct{}

func (noSource) devices() []Device        { return nil }
func (noSource) read(*Sample, bool) error { return nil }
func (noSource) close() error             { return nil }
