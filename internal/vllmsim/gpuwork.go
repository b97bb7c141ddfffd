package vllmsim

import "vllmbench/internal/roofline"

// What kernels do to a GPU, from bf16 loads on an H200 of 700 W, read through
// NVML and GPM:
//
//	load                   DRAM %  tensor %  SM %   W
//	idle, context held        0       0       0    121
//	GEMV of 11.4 GB          78.6     3.1    62.9  568
//	GEMM, batch 32           77.5    12.1    63.4  660
//	copy                     89       0      99.6  628
//	matmul 8192x8192         16      93.2    96    692
//
// Power is idle, plus a part for the share of DRAM bandwidth (447 W at 0.786 and
// 507 W at 0.89 are both 569 W for all of it), plus a part for the share of time
// in which the tensor cores have work (692 W less idle and 16 % of DRAM, for all
// of it), up to the limit. That gives the GEMM 624 W, 5 % less than measured.
// Other GPUs draw the same shares of their own limits, which is an assumption.
const (
	measuredLimit = 700.0 // watts, of the H200 above
	idleShare     = 121 / measuredLimit
	dramShare     = 569 / measuredLimit
	computePower  = 480 / measuredLimit

	// smMemory and smCompute are how much of the SMs kernels occupy: those that
	// wait for memory, and those that the tensor cores bound.
	smMemory, smCompute = 0.63, 0.96

	// tensorActive is the tensor cores' activity where they are the bound.
	tensorActive = 0.932
)

// gpuWork is what kernels did: time that a unit was active, in seconds, where
// half of the units for a second are half a second.
type gpuWork struct {
	busy   float64 // any kernel ran
	sm     float64 // streaming multiprocessors with work
	tensor float64 // tensor cores
	bytes  float64 // device memory read and written
	flops  float64 // operations
	joules float64 // above idle
}

// plus returns w and a share of v.
func (w gpuWork) plus(share float64, v gpuWork) gpuWork {
	w.busy += share * v.busy
	w.sm += share * v.sm
	w.tensor += share * v.tensor
	w.bytes += share * v.bytes
	w.flops += share * v.flops
	w.joules += share * v.joules
	return w
}

// kernelWork returns what a step's kernels do to a GPU of these peaks.
func kernelWork(spec roofline.GPU, s stepTime) gpuWork {
	busy := s.kernels.Seconds()
	compute := s.work.FLOPs / (computeShare * spec.FLOPS)
	dram := s.work.Bytes / spec.Bandwidth
	dynamic := spec.PowerLimit * (dramShare*dram + computePower*compute)
	return gpuWork{
		busy: busy, sm: smMemory*busy + (smCompute-smMemory)*compute, tensor: tensorActive * compute,
		bytes: s.work.Bytes, flops: s.work.FLOPs,
		joules: min(dynamic, spec.PowerLimit*(1-idleShare)*busy),
	}
}

func (g *gpu) idleWatts() float64 { return idleShare * g.spec.PowerLimit }
