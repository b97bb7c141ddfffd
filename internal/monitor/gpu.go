package monitor

import (
	"fmt"
	"strings"
	"time"

	"vllmbench/gpuprobe"
)

// A gpuState is how the GPUs stand.
type gpuState struct {
	state gpuprobe.State
	usage *gpuprobe.Usage // of the last window
	slow  string          // why it ran slower than asked in the last window, "" if it did not

	gap      *gap      // the one that goes on
	closed   time.Time // end of the last that ended
	ended    int       // gaps before it
	total    time.Duration
	longest  time.Duration
	atWork   int           // gaps, of all, with requests running
	workTime time.Duration // their length
}

// A gap is a time in which no GPU did anything.
type gap struct {
	gpuprobe.Gap
	running float64 // most requests that the server had running at a read within it
	event   int     // number of its event
}

func (g gap) length() time.Duration { return g.To.Sub(g.From) }

func (s *State) addGPU(r *row, t Tick) {
	v := &s.gpu
	if len(s.GPUs) == 0 {
		return
	}
	if t.GPUs.Name != v.state.Name && v.state.Name != "" {
		kind := kindFault
		if t.GPUs.Reason == "" {
			kind = kindGPU
		}
		s.say(t.At, kind, "GPU source: %s", t.GPUs)
	}
	v.state = t.GPUs
	if v.usage = t.GPU; t.GPU == nil {
		return
	}
	seconds := t.GPU.To.Sub(t.GPU.From).Seconds()
	r.figures(t.GPU.Figures, seconds, len(s.GPUs))
	if e := t.GPU.Energy; e.Known {
		s.totals.energy = gpuprobe.Value{N: s.totals.energy.N + e.N, Known: true}
	}
	s.slowed(t, seconds)
	s.gaps(t)
	r.idle = v.gap != nil && !v.gap.To.Before(t.GPU.To)
}

// figures takes what the GPUs did in a window.
func (r *row) figures(f gpuprobe.Figures, seconds float64, gpus int) {
	for q, v := range map[quantity]gpuprobe.Value{
		dram: f.DRAM, smActive: f.SM, tensor: f.Tensor, busy: f.Busy, utilization: f.Utilization, power: f.Power, memory: f.Memory,
		smClock: f.SMClock, memoryClock: f.MemoryClock, temperature: f.Temperature, pcieTX: f.PCIeTX, pcieRX: f.PCIeRX,
		throttled: longestThrottle(f, seconds*float64(gpus)),
	} {
		r.cells[q] = cell{v.N, seconds, v.Known, v.Known}
	}
}

// longestThrottle is the share of time under the reason that held the longest:
// several may hold at once, so their sum means nothing.
func longestThrottle(f gpuprobe.Figures, seconds float64) (share gpuprobe.Value) {
	for _, v := range f.Throttle {
		if v.Known && seconds > 0 {
			share = gpuprobe.Value{N: max(share.N, v.N/seconds), Known: true}
		}
	}
	return share
}

// slowed names the reasons of the last window, and says when a new one begins.
func (s *State) slowed(t Tick, seconds float64) {
	var reasons []string
	for i, v := range t.GPU.Throttle {
		if v.Known && v.N > slowShare*seconds {
			reasons = append(reasons, gpuprobe.Reason(i).String())
		}
	}
	was := s.gpu.slow
	if s.gpu.slow = strings.Join(reasons, ", "); s.gpu.slow != "" && s.gpu.slow != was {
		s.say(t.At, kindGPU, "GPU throttled: %s", s.gpu.slow)
	}
}

// seenRows are enough rounds to hold those of a gap that were not yet seen to be in it.
const seenRows = 8

// slowShare of a window under a reason is too little to move any figure.
const slowShare = 0.01

// gaps joins the gaps of overlapping windows into those that there were. Gaps
// looks back further than the window, so that a gap's end is that of all reads around it.
func (s *State) gaps(t Tick) {
	v := &s.gpu
	for _, g := range t.GPU.Gaps {
		if !g.To.After(v.closed) {
			continue
		}
		if v.gap == nil || g.From.After(v.gap.To) {
			s.endGap()
			v.gap = &gap{Gap: g, event: s.say(g.From, kindGap, "GPU idle")}
		}
		if g.To.After(v.gap.To) {
			v.gap.To = g.To
		}
	}
	if v.gap == nil {
		return
	}
	for _, r := range s.rows[max(0, len(s.rows)-seenRows):] {
		if !r.at.Before(v.gap.From) && !r.at.After(v.gap.To) {
			v.gap.running = max(v.gap.running, r.cells[running].n)
		}
	}
	s.retell(v.gap.event, "GPU idle for %s%s", brief(v.gap.length()), v.gap.during())
	if v.gap.To.Before(t.GPU.From) {
		s.endGap()
	}
}

// endGap takes the gap into the counts.
func (s *State) endGap() {
	v := &s.gpu
	if v.gap == nil {
		return
	}
	v.ended++
	v.total += v.gap.length()
	v.longest = max(v.longest, v.gap.length())
	if v.gap.running > 0 {
		v.atWork++
		v.workTime += v.gap.length()
	}
	s.tell(v.gap.event)
	v.gap, v.closed = nil, v.gap.To
}

// idle returns the number, total and longest of the gaps, with the one that goes on.
func (v *gpuState) idle() (n int, total, longest time.Duration) {
	n, total, longest = v.ended, v.total, v.longest
	if v.gap != nil {
		n, total, longest = n+1, total+v.gap.length(), max(longest, v.gap.length())
	}
	return n, total, longest
}

// idleAtWork tells of the gaps in which the server had requests running.
func (v *gpuState) idleAtWork() string {
	n, total := v.atWork, v.workTime
	if v.gap != nil && v.gap.running > 0 {
		n, total = n+1, total+v.gap.length()
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; with requests running %d, %s in all", n, brief(total))
}

// oneGPU tells what one of several GPUs did.
func oneGPU(index int, f gpuprobe.Figures) string {
	s := fmt.Sprintf("GPU %-2d", index)
	for _, v := range []struct {
		q quantity
		v gpuprobe.Value
	}{{dram, f.DRAM}, {busy, f.Busy}, {power, f.Power}, {memory, f.Memory}, {smClock, f.SMClock}, {temperature, f.Temperature}} {
		if v.v.Known {
			s += fmt.Sprintf(" %s %s ", columns[v.q].short, v.q.withUnit(v.v.N))
		}
	}
	return s
}
