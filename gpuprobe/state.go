package gpuprobe

// Names of a Probe's states.
const (
	StateNone         = "none"               // asked for none
	StateNVML         = "nvml"               // reads NVML
	StateDCGM         = "dcgm"               // reads a DCGM exporter
	StateNoDriver     = "no driver"          // libnvidia-ml.so.1 or the kernel module is missing
	StateNoCgo        = "built without cgo"  // this binary cannot call NVML
	StateNoPermission = "no permission"      // the driver refuses this user
	StateNoGPU        = "no GPU"             // a driver without a GPU, or none chosen
	StateBroken       = "NVML does not work" // any other refusal of the driver
	StateLost         = "GPU lost"           // a GPU fell off the bus in mid-run
	StateSilent       = "not answering"      // the last read failed
)

// A State is how a Probe stands.
type State struct {
	Name   string // one of the State constants
	Reason string // one clause saying why, "" if all is well
}

func (s State) String() string {
	if s.Reason == "" {
		return s.Name
	}
	return s.Name + ": " + s.Reason
}

// A stateError is an error that has a state's name.
type stateError struct {
	name string
	err  error
}

func (e *stateError) Error() string { return e.err.Error() }
func (e *stateError) Unwrap() error { return e.err }
