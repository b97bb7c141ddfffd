package gpuprobe

import "time"

// Usage is what the GPUs did in a window: the sum over the GPUs of memory,
// power, energy, PCIe, errors and throttled seconds, the mean of shares and
// clocks, the extreme of peaks. A figure is known only if every GPU's is.
type Usage struct {
	From, To time.Time
	Figures
	GPUs []Figures // of each, in the order of Devices

	Processes []Process // all seen in or at the ends of the window; nil: unknown
	Samples   int       // reads inside the window
	Missing   int       // reads that should have been there and were not
	Trouble   []Trouble // what makes the figures doubtful
}

// Figures is what one GPU or all did in a window.
type Figures struct {
	Utilization     Value // mean share of time in which a kernel ran; says nothing of how much of the GPU it used
	UtilizationPeak Value
	Busy            Value // mean share of time with any work: Graphics where it is told, else Utilization
	Memory          Value // bytes, most

	SM     Value // mean shares, 0 to 1
	DRAM   Value
	Tensor Value
	PCIeTX Value // bytes/s
	PCIeRX Value // bytes/s

	Power       Value // W, mean: Energy over the window's length, else the mean of reads
	PowerPeak   Value // W, highest read
	Energy      Value // J, from the counter alone
	EnergyError Value // J, bound of Energy's error: the counter's step, and interpolation at both ends
	EnergyNet   Value // J, Energy less idle power x time; known after Idle

	SMClock     Value // Hz, mean
	SMClockMin  Value // Hz, lowest read
	MemoryClock Value // Hz, mean
	Temperature Value // °C, highest

	Throttle [Reasons]Value // seconds, by Reason
	ECC      Value          // uncorrected errors
	Xids     Value          // Xid errors

	Gaps      []Gap // in which the GPU, or all of them, did nothing
	GapsKnown bool
}

// A Gap is an interval without work. It is found where a whole interval
// between two reads was idle; its ends are placed by the busy shares of its
// neighbours, so that it is right to within one interval between reads.
// Shorter gaps show in Busy alone.
type Gap struct{ From, To time.Time }

// Idle returns the total and the longest of the gaps.
func (f Figures) Idle() (total, longest time.Duration) {
	for _, g := range f.Gaps {
		d := g.To.Sub(g.From)
		total += d
		longest = max(longest, d)
	}
	return total, longest
}

// A Trouble is a reason to doubt a window's figures.
type Trouble struct {
	Kind string // one of the Trouble constants
	Text string // one clause with the figures
}

func (t Trouble) String() string { return t.Kind + ": " + t.Text }

// Kinds of Trouble.
const (
	TroublePowerCap  = "power cap"        // usual at full load; the clock was lower than it could be
	TroubleThrottled = "throttled"        // for heat, supply or a neighbour
	TroubleForeign   = "foreign process"  // another process used a GPU
	TroubleMissing   = "samples missing"  // too few reads to trust the window
	TroubleShort     = "window too short" // shorter than two reads
	TroubleStale     = "stale exporter"   // it renews its figures less often than they are read
	TroubleBackwards = "counter reset"    // the energy counter went backwards
	TroubleEnergy    = "energy disagrees" // counter and power tell different energies
	TroubleLost      = "GPU lost"         // a GPU fell off the bus
	TroubleErrors    = "GPU errors"       // Xid or uncorrected ECC errors
	TroubleMIG       = "MIG"              // figures of the whole GPU, without utilisation
)
