package progress

import "time"

// An estimate tells how long the run will still take, from how long its cells
// took: all of a cell, so that its preparation and its end are in it.
type estimate struct {
	plan  Plan
	times map[string]time.Duration // the latest of each cell that ended well
}

func newEstimate(p Plan) estimate {
	return estimate{plan: p, times: map[string]time.Duration{}}
}

func (e *estimate) took(cell string, d time.Duration) { e.times[cell] = d }

// expect is how long a cell will take: as long as the last time, else as long
// as the others did in the mean, else its window.
func (e *estimate) expect(cell string) time.Duration {
	if d, ok := e.times[cell]; ok {
		return d
	}
	if len(e.times) == 0 {
		return e.plan.Time
	}
	var sum time.Duration
	for _, d := range e.times {
		sum += d
	}
	return sum / time.Duration(len(e.times))
}

// left is the time that is left to the run, in which the cell at index has run
// for elapsed; not ok if that cell or every time is unknown.
func (e *estimate) left(index, round int, elapsed time.Duration) (d time.Duration, ok bool) {
	if index < 0 || len(e.times) == 0 && e.plan.Time == 0 {
		return 0, false
	}
	d = max(0, e.expect(e.plan.Cells[index])-elapsed)
	rounds := time.Duration(max(0, e.plan.Rounds-round))
	for i, cell := range e.plan.Cells {
		d += rounds * e.expect(cell)
		if i > index {
			d += e.expect(cell)
		}
	}
	return d, true
}
