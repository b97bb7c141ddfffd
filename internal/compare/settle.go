package compare

import "math"

// settle decides all tests of the tables as one family and returns their number.
func settle(tables []Table, alpha float64) int {
	type asked struct {
		table *Table
		line  *Line
	}
	var all []asked
	var tests []test
	for i := range tables {
		t := &tables[i]
		for _, l := range t.lines() {
			if l.tested {
				all = append(all, asked{t, l})
				tests = append(tests, test{l.seen, t.bound()})
			}
		}
	}
	for i, o := range decide(tests, alpha) {
		all[i].line.settle(all[i].table, o)
	}
	for i := range tables {
		for _, l := range tables[i].lines() {
			if l.gated && !l.tested {
				l.untested(&tables[i], alpha/2/float64(max(1, len(tests))))
			}
		}
	}
	return len(tests)
}

// settle fills in what a test says.
func (l *Line) settle(t *Table, o outcome) {
	low, high, p := percent(o.low), percent(o.high), digits(o.p)
	l.Change.Low, l.Change.High, l.Change.P = &low, &high, &p
	if !t.Gated {
		return
	}
	l.Verdict = t.verdict(o)
	if l.Verdict == Inconclusive {
		level := o.lowLevel
		if l.seen.log < t.bound() {
			level = o.highLevel
		}
		l.need(t, level)
	}
}

// untested gives a gated line that is not in the family its verdict.
func (l *Line) untested(t *Table, level float64) {
	l.Verdict = Inconclusive
	switch {
	case l.seen != change{}:
		l.need(t, level)
	case l.Old != nil && l.New != nil && l.Old.zero && l.New.zero:
		l.Verdict, l.Reason = Pass, "0 in every repetition of both"
	}
}

// need fills in the repetitions that would decide.
func (l *Line) need(t *Table, level float64) {
	spread := l.seen.cautious()
	l.Needed = Needed(l.seen.log-t.bound(), spread, level)
	l.Unchanged = Needed(math.Abs(t.bound()), spread, level)
}
