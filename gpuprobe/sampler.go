package gpuprobe

import (
	"fmt"
	"strings"
	"time"
)

// sample reads until quit, at whole periods since its start: a slow read
// delays none after it.
func (p *Probe) sample() {
	defer close(p.done)
	defer func() {
		p.mu.Lock()
		p.running = false
		p.mu.Unlock()
	}()
	s := Sample{GPUs: make([]Reading, len(p.gpu))}
	start := time.Now()
	var processes time.Time // when they were last read
	timer := time.NewTimer(p.period)
	defer timer.Stop()
	for {
		select {
		case <-p.quit:
			return
		case read := <-p.marks:
			p.read(&s, true)
			processes = time.Now()
			close(read)
		case <-timer.C:
			due := time.Since(processes) >= processEvery
			p.read(&s, due)
			if due {
				processes = time.Now()
			}
			past := time.Since(start)
			timer.Reset(past.Truncate(p.period) + p.period - past)
		}
	}
}

// read takes one sample. A read that fails leaves none.
func (p *Probe) read(s *Sample, processes bool) {
	clear(s.GPUs)
	s.Processes = nil
	before := time.Now()
	s.At = time.Time{}
	err := p.src.read(s, processes)
	s.Took = time.Since(before)
	if s.At.IsZero() {
		s.At = before.Add(s.Took / 2)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = p.next(s, err)
	if err != nil {
		return
	}
	prev := p.ring.last()
	for i := range s.GPUs {
		if s.GPUs[i].Since.IsZero() && prev != nil {
			s.GPUs[i].Since = prev.At
		}
	}
	p.ring.add(s)
}

// next returns the state after a read.
func (p *Probe) next(s *Sample, err error) State {
	if err != nil {
		return State{Name: StateSilent, Reason: err.Error()}
	}
	var lost []string
	for i, r := range s.GPUs {
		if r.Lost {
			lost = append(lost, fmt.Sprintf("GPU %d (%s)", p.gpu[i].Index, p.gpu[i].UUID))
		}
	}
	if len(lost) > 0 {
		return State{Name: StateLost, Reason: strings.Join(lost, ", ") + " answers no more; see dmesg for its Xid error"}
	}
	return p.good
}
