// Package merge makes one run of the records of several instances that shared a load.
//
// Every figure is measured anew from the requests of all instances, on one
// clock and in the window in which all of them were at work, since a quantile of
// the whole cannot be had from the quantiles of its parts.
package merge

import (
	"errors"
	"fmt"
	"time"

	"vllmbench/client"
	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// A Config says what the records cannot.
type Config struct {
	Expect int // instances that there should be; 0: not said

	// ClockError is by how much the clocks of two hosts may differ; 0: not
	// known. Instances of one host have one clock.
	ClockError time.Duration

	// Unreadable are records that are there and cannot be read, a sentence each: what an
	// instance leaves that was killed as it began.
	Unreadable []string
}

// A Run is the merged one.
type Run struct {
	Header results.Header
	Rows   []Row
}

// A Row is one of its rows, with the requests of all instances.
type Row struct {
	Measured measure.Row
	Requests []client.Result
}

// A merger is what the records have in common.
type merger struct {
	Config
	all   []*instance // in the order of their segments, then of their names
	epoch time.Time
	lost  []string // what of the load is not here, a sentence each
	notes []string
	cells []*cell
	books *books
}

// Records merges the records of instances. It fails if they are not of one load
// against one server. What is missing of the load, such as an instance that died, is no
// error: Header.Merged.Lost says it, and what it would have proven is left out.
func Records(runs []*results.Run, c Config) (*Run, error) {
	if len(runs) == 0 {
		return nil, errors.New("there is no record: name the folders of the instances")
	}
	if c.Expect > 0 && len(runs) > c.Expect {
		return nil, fmt.Errorf("there are %d records, and %d are expected: name only those of one load", len(runs), c.Expect)
	}
	m := &merger{Config: c}
	if err := m.instances(runs); err != nil {
		return nil, err
	}
	if err := m.missing(); err != nil {
		return nil, err
	}
	m.clocks()
	if err := m.collect(); err != nil {
		return nil, err
	}
	m.books = m.open()
	out := &Run{}
	for _, cell := range m.cells {
		row, err := m.row(cell)
		if err != nil {
			return nil, err
		}
		out.Rows = append(out.Rows, row)
	}
	out.Header = m.header()
	return out, nil
}

// Whole says whether all of the load is in the run and no row is void.
func (r *Run) Whole() bool {
	for _, row := range r.Rows {
		if len(row.Measured.Void) > 0 {
			return false
		}
	}
	return len(r.Header.Merged.Lost) == 0
}

// Save saves the run in dir, in place of an older one.
func (r *Run) Save(dir string) error {
	w, err := results.Create(dir, r.Header)
	if err != nil {
		return err
	}
	for _, row := range r.Rows {
		if err := w.Row(row.Measured, row.Requests); err != nil {
			return errors.Join(err, w.Close(false))
		}
	}
	return w.Close(true)
}
