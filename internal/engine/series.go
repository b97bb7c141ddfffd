package engine

// A Series is reads of one server in order.
type Series []*Snapshot

// Delta returns what was counted from the first read to the last. It needs two.
//
// Where several processes share a port or stand behind a router, each counts
// for itself and any of them may answer. A series tells them from a server that
// was started anew: an old process comes back, a dead one does not.
func (s Series) Delta() Delta {
	d := s[len(s)-1].Since(s[0])
	if s.several() {
		return Delta{Elapsed: d.Elapsed, Several: true, Why: "the counters are not of one process"}
	}
	for i := 1; i < len(s) && !d.Reset; i++ { // counters may have passed their old values since
		if step := s[i].Since(s[i-1]); step.Reset {
			d = Delta{Elapsed: d.Elapsed, Reset: true, Why: step.Why}
		}
	}
	return d
}

// several says whether the reads are of more than one living process: one that
// was read before comes back after another, or, where processes do not tell
// when they began, counters go backwards twice.
func (s Series) several() bool {
	type life struct{ started, created float64 }
	of := func(s *Snapshot) life { return life{s.Started, s.Created} }
	seen := map[life]bool{of(s[0]): true}
	backwards := 0
	for i := 1; i < len(s); i++ {
		now, last := of(s[i]), of(s[i-1])
		if now != last && seen[now] {
			return true
		}
		seen[now] = true
		if now == last && s[i].Since(s[i-1]).Reset {
			backwards++
		}
	}
	return backwards > 1
}
