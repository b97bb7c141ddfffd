package gpuprobe

import (
	"slices"
	"time"
)

// A ring keeps the newest samples, oldest first, in memory taken once.
type ring struct {
	slots []Sample
	first int // slot of the oldest
	n     int
}

func newRing(size, gpus int) ring {
	if gpus == 0 {
		return ring{}
	}
	r := ring{slots: make([]Sample, size)}
	readings := make([]Reading, size*gpus)
	for i := range r.slots {
		r.slots[i].GPUs = readings[i*gpus : (i+1)*gpus : (i+1)*gpus]
	}
	return r
}

func (r *ring) at(i int) *Sample { return &r.slots[(r.first+i)%len(r.slots)] }

func (r *ring) last() *Sample {
	if r.n == 0 {
		return nil
	}
	return r.at(r.n - 1)
}

// add copies s over the oldest sample if the ring is full.
func (r *ring) add(s *Sample) {
	if r.n < len(r.slots) {
		r.n++
	} else {
		r.first = (r.first + 1) % len(r.slots)
	}
	slot := r.last()
	copy(slot.GPUs, s.GPUs)
	slot.At, slot.Took, slot.Processes = s.At, s.Took, s.Processes
}

// search returns how many samples are older than t.
func (r *ring) search(t time.Time) int {
	lo, hi := 0, r.n
	for lo < hi {
		mid := (lo + hi) / 2
		if r.at(mid).At.Before(t) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

func (r *ring) between(from, to time.Time) []Sample {
	i, j := r.search(from), r.search(to.Add(1))
	return r.copy(i, j)
}

// around returns the samples of a window with the nearest before and after it,
// and one more on each side, which bound what happened at the ends.
func (r *ring) around(from, to time.Time) []Sample {
	return r.copy(max(r.search(from.Add(1))-2, 0), min(r.search(to)+2, r.n))
}

func (r *ring) copy(i, j int) (out []Sample) {
	for ; i < j; i++ {
		s := *r.at(i)
		s.GPUs = slices.Clone(s.GPUs)
		out = append(out, s)
	}
	return out
}
