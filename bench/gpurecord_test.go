package bench

import (
	"math"
	"time"

	"vllmbench/gpuprobe"
	"vllmbench/internal/results"
)

// drainEvery is how often the probe's memory, which lasts half an hour at
// gpuPeriod, is drained in a long cell.
const drainEvery = 10 * time.Minute

// drain keeps for the record what the GPUs told since the last call. It
// copies a few samples and takes none, so that it may be called while a cell is timed.
func (s *session) drain() {
	if s.record == nil || len(s.gpu.Devices()) == 0 {
		return
	}
	epoch := s.client.Epoch()
	for _, sample := range s.gpu.Samples(s.drained.Add(1), time.Now()) {
		s.samples = append(s.samples, sampleOf(sample, epoch))
		s.drained = sample.At
	}
}

// drainIfLong drains if that was last done a while ago, for cells of hours.
func (s *session) drainIfLong() {
	if time.Since(s.drained) > drainEvery {
		s.drain()
	}
}

// saveGPU records what the GPUs told since the last call.
func (s *session) saveGPU() error {
	s.drain()
	err := s.record.GPU(s.samples)
	s.samples = s.samples[:0]
	return err
}

// sampleOf is a sample as it is recorded.
func sampleOf(s gpuprobe.Sample, epoch time.Time) results.GPUSample {
	out := results.GPUSample{At: s.At.Sub(epoch), GPUs: make([]results.GPUReading, len(s.GPUs))}
	for i, r := range s.GPUs {
		busy := r.Graphics
		if !busy.Known {
			busy = r.Utilization
		}
		out.GPUs[i] = results.GPUReading{
			Busy: told(busy, 1e-4), SM: told(r.SM, 1e-4), DRAM: told(r.DRAM, 1e-4), Tensor: told(r.Tensor, 1e-4),
			Memory: told(r.Memory, 1), Power: told(r.Power, 0.1), Clock: told(r.SMClock, 1), Temperature: told(r.Temperature, 0.1),
		}
		for _, reason := range r.ThrottledBy() {
			out.GPUs[i].Throttled = append(out.GPUs[i].Throttled, reason.String())
		}
	}
	return out
}

// told is a value rounded to step, which is what it is worth; nil if the GPU
// did not tell it. Dividing by the whole 1/step gives the shortest decimals.
func told(v gpuprobe.Value, step float64) *float64 {
	if !v.Known || math.IsNaN(v.N) || math.IsInf(v.N, 0) {
		return nil
	}
	n := math.Round(v.N/step) / math.Round(1/step)
	return &n
}

// devices are the GPUs that are watched, as they are recorded.
func (s *session) devices() (out []results.Device) {
	for _, d := range s.gpu.Devices() {
		out = append(out, results.Device{
			Index: d.Index, Name: d.Name, UUID: d.UUID, Driver: d.Driver, Memory: d.Memory.N, PowerLimit: d.PowerLimit.N, Simulated: d.Simulated,
		})
	}
	return out
}
