package results

import "time"

// A Device is a GPU that was watched during the run.
type Device struct {
	Index      int     `json:"index"`
	Name       string  `json:"name"`
	UUID       string  `json:"uuid,omitempty"` // which card it is, like GPU-8f6f...
	Driver     string  `json:"driver,omitempty"`
	Memory     float64 `json:"memory_B,omitempty"`      // bytes; 0: unknown
	PowerLimit float64 `json:"power_limit_W,omitempty"` // watts; 0: unknown
	Simulated  bool    `json:"simulated,omitempty"`     // computed by the embedded server
}

// A GPUSample is one read of all devices.
type GPUSample struct {
	At   time.Duration `json:"at_ns"` // since the client's epoch
	GPUs []GPUReading  `json:"gpus"`  // in the order of the header's devices
}

// A GPUReading is what one GPU told. What it did not tell is nil. Shares (0 to
// 1) are means since the sample before.
type GPUReading struct {
	Busy        *float64 `json:"busy,omitempty"`        // share of time with any work
	SM          *float64 `json:"sm,omitempty"`          // share of SMs that had work
	DRAM        *float64 `json:"dram,omitempty"`        // share of the memory bandwidth
	Tensor      *float64 `json:"tensor,omitempty"`      // share of the tensor cores' cycles
	Memory      *float64 `json:"memory_B,omitempty"`    // bytes in use
	Power       *float64 `json:"power_W,omitempty"`     // watts
	Clock       *float64 `json:"sm_clock_Hz,omitempty"` // of the SMs
	Temperature *float64 `json:"temp_C,omitempty"`
	Throttled   []string `json:"throttled,omitempty"` // why it ran below its clock at that instant: "power cap", "hardware thermal", ...
}
