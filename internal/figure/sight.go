package figure

import (
	"fmt"
	"slices"
	"time"

	"vllmbench/client"
	"vllmbench/internal/answers"
	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// A pool is what the requests of a cell's valid rows show, all repetitions together.
type pool struct {
	cell measure.Cell
	ttft []float64 // milliseconds, sorted
	itl  []float64 // milliseconds, sorted, of every token after a request's first event

	left map[string]int // rows that a quantity was left out of, by quantity and reason
}

// pools reads the requests of a run. Notes tell what could not be read.
func pools(run *results.Run) (all []*pool, notes []string) {
	by := map[measure.Cell]*pool{}
	for i := range run.Rows {
		row := &run.Rows[i]
		if len(row.Measured.Void) > 0 || row.Requests.Count == 0 || row.Measured.Experiment == answers.Probes { // of which each is a cell of its own
			continue
		}
		requests, err := read(run, i)
		if err != nil {
			notes = append(notes, fmt.Sprintf("%s, repetition %d is not in the distributions: %v", row.Measured.Name, row.Repetition, err))
			continue
		}
		p := by[row.Measured.Cell]
		if p == nil {
			p = &pool{cell: row.Measured.Cell, left: map[string]int{}}
			by[p.cell] = p
			all = append(all, p)
		}
		p.add(&row.Measured, requests)
	}
	for _, p := range all {
		slices.Sort(p.ttft)
		slices.Sort(p.itl)
	}
	return all, notes
}

// read returns all requests of a row, or none: half of them would be another distribution.
func read(run *results.Run, i int) (all []client.Result, err error) {
	for r, err := range run.Requests(i) {
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// add takes from the requests what measure took for the row's quantiles: first
// tokens and gaps that ended in the window, in an open loop first tokens of
// requests that were due in it, and nothing that measure left out.
func (p *pool) add(row *measure.Row, requests []client.Result) {
	ttft, itl := p.takes(row, "ttft"), p.takes(row, "itl")
	in := func(t time.Duration) bool { return row.Window.From < t && t <= row.Window.To }
	for i := range requests {
		r := &requests[i]
		if r.Outcome != client.OK || len(r.Events) == 0 {
			continue
		}
		if ttft && (r.Scheduled && row.Window.From <= r.Intended && r.Intended < row.Window.To || !r.Scheduled && in(r.Events[0].At)) {
			p.ttft = append(p.ttft, milliseconds(r.TTFT()))
		}
		for k := 1; itl && k < len(r.Events); k++ {
			e := r.Events[k]
			if !in(e.At) {
				continue
			}
			gap := milliseconds(e.At-r.Events[k-1].At) / float64(e.Tokens)
			for range e.Tokens {
				p.itl = append(p.itl, gap)
			}
		}
	}
}

// takes says whether a row's quantiles of a quantity were proven: the median
// is left out for a fault of its samples only, never for their number.
func (p *pool) takes(row *measure.Row, quantity string) bool {
	for _, l := range row.LeftOut {
		if l.Metric == "p50-"+quantity+"-ns" {
			p.left[quantity+": "+l.Reason]++
			return false
		}
	}
	return true
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
