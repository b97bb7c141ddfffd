package gpuprobe

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A phase is a time in which a scripted GPU does one thing.
type phase struct {
	lasts     time.Duration
	busy      float64 // share of time with work
	dram      float64
	watts     float64
	throttled bool // at the power limit
}

// script is a source whose GPUs all do the same. It starts when the bubble does.
type script struct {
	gpus   []Device
	phases []phase
	start  time.Time
	prev   time.Time
	cost   time.Duration // of a read

	silent    func(since time.Duration) bool // the read fails
	lost      func(since time.Duration) bool // GPU 0 is gone
	offset    func(since time.Duration) float64
	processes []Process
	reads     int
}

func newScript(gpus int, phases ...phase) *script {
	s := &script{phases: phases, start: time.Now()}
	for i := range gpus {
		s.gpus = append(s.gpus, Device{Index: i, UUID: "GPU-" + string(rune('a'+i))})
	}
	return s
}

func (s *script) devices() []Device { return s.gpus }
func (s *script) close() error      { return nil }

// total integrates a quantity of the phases up to t.
func (s *script) total(t time.Time, of func(phase) float64) (sum float64) {
	left := t.Sub(s.start)
	for i, p := range s.phases {
		d := min(left, p.lasts)
		if i == len(s.phases)-1 {
			d = left // the last phase goes on
		}
		sum += of(p) * d.Seconds()
		if left -= d; left <= 0 {
			break
		}
	}
	return sum
}

func (s *script) now(t time.Time) phase {
	left := t.Sub(s.start)
	for _, p := range s.phases {
		if left -= p.lasts; left < 0 {
			return p
		}
	}
	return s.phases[len(s.phases)-1]
}

func watts(p phase) float64 { return p.watts }
func busy(p phase) float64  { return p.busy }
func dram(p phase) float64  { return p.dram }
func held(p phase) float64 {
	if p.throttled {
		return 1
	}
	return 0
}

func (s *script) read(out *Sample, processes bool) error {
	time.Sleep(s.cost)
	s.reads++
	at := time.Now()
	since := at.Sub(s.start)
	if s.silent != nil && s.silent(since) {
		return errors.New("scripted silence")
	}
	r := Reading{Since: s.prev, Power: known(s.now(at).watts), Memory: known(float64(since / time.Second))}
	if d := at.Sub(s.prev).Seconds(); !s.prev.IsZero() && d > 0 {
		r.Graphics = known((s.total(at, busy) - s.total(s.prev, busy)) / d)
		r.DRAM = known((s.total(at, dram) - s.total(s.prev, dram)) / d)
	}
	stepped := s.start.Add(since.Truncate(energyStep))
	r.Energy = known(s.total(stepped, watts))
	if s.offset != nil {
		r.Energy.N += s.offset(since)
	}
	r.Throttle[PowerCap] = known(s.total(at, held))
	out.At = at
	for i := range out.GPUs {
		out.GPUs[i] = r
	}
	if s.lost != nil && s.lost(since) {
		out.GPUs[0] = Reading{Lost: true}
	}
	if processes {
		out.Processes = s.processes
	}
	s.prev = at
	return nil
}

// run starts a probe on s and lets the bubble's time pass until the window's end, then asks.
func run(t *testing.T, s *script, period, from, to time.Duration) Usage {
	t.Helper()
	p := newProbe(s, State{Name: StateNVML})
	p.Start(period)
	time.Sleep(to - time.Since(s.start))
	u := p.Window(s.start.Add(from), s.start.Add(to))
	require.NoError(t, p.Close())
	return u
}

func kinds(u Usage) (all []string) {
	for _, t := range u.Trouble {
		all = append(all, t.Kind)
	}
	return all
}
