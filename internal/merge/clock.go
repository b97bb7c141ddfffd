package merge

import (
	"cmp"
	"fmt"
	"time"
)

// clocks puts all instances on one clock, whose epoch is that of the first to begin.
func (m *merger) clocks() {
	m.epoch = m.all[0].Header.Epoch
	for _, i := range m.all {
		if i.Header.Epoch.Before(m.epoch) {
			m.epoch = i.Header.Epoch
		}
	}
	for _, i := range m.all {
		i.shift = i.Header.Epoch.Sub(m.epoch)
	}
	switch hosts := m.hosts(); {
	case len(m.all) == 1:
	case hosts == 1:
		m.notes = append(m.notes, "clock: all instances ran on one host, whose clock is one")
	case m.ClockError > 0:
		m.notes = append(m.notes, fmt.Sprintf("clock: windows are aligned to %v, by which the hosts' clocks may differ (-clock-error); latencies are each of one clock", m.ClockError))
	default:
		m.notes = append(m.notes, "clock: by how much the hosts' clocks differ is not known (-clock-error says it), so windows are aligned as they tell the time; latencies are each of one clock")
	}
}

// hosts is on how many the instances ran; 0: not known. Containers of one host have one kernel, and one clock.
func (m *merger) hosts() int {
	boots := map[string]bool{}
	for _, i := range m.all {
		boots[i.Header.Environment.Boot] = true
	}
	if boots[""] {
		return 0
	}
	return len(boots)
}

// clockError is what the header keeps: nil if it is not known.
func (m *merger) clockError() *time.Duration {
	known := m.ClockError
	switch {
	case m.hosts() == 1 || len(m.all) == 1:
		known = 0
	case known == 0:
		return nil
	}
	return &known
}

// procs is how many processors instances may use: those of one host share what it has.
func procs(parts []*part) (n int) {
	type host struct{ may, has int }
	hosts := map[string]host{}
	for _, p := range parts {
		e := p.Header.Environment
		may := cmp.Or(e.Procs, e.Cores)          // older records do not tell the former
		key := cmp.Or(e.Boot, "that of "+p.name) // not known to share anything
		hosts[key] = host{hosts[key].may + may, max(hosts[key].has, e.Cores)}
	}
	for _, h := range hosts {
		n += min(h.may, h.has)
	}
	return n
}
