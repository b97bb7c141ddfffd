// Package report writes what runs show: a page, a Markdown text and pictures.
//
// The page is one file that needs no network and no script to be read: tables
// and pictures are in it as they are, and its script only draws the same
// figures again, so that a reader can point at them and zoom.
package report

import (
	"errors"
	"fmt"

	"vllmbench/internal/answers"
	"vllmbench/internal/figure"
	"vllmbench/internal/results"
)

// A Report is what is said of some runs, ready to be written.
type Report struct {
	runs      []*results.Run
	summaries []answers.Summary
	figures   []figure.Figure
	timelines []figure.Timeline
	doc       document
}

// New makes the report of runs, in their order. It reads their requests, so
// they must be open. Runs without any row, and two of one name, are errors.
func New(runs []*results.Run) (*Report, error) {
	if len(runs) == 0 {
		return nil, errors.New("no run is named: give the folder of one, such as results/baseline")
	}
	names := map[string]bool{}
	for _, run := range runs {
		switch {
		case names[run.Name]:
			return nil, fmt.Errorf("two runs are named %s: rename the folder or file of one", Clean(run.Name))
		case len(run.Rows) == 0:
			return nil, fmt.Errorf("run %s has no row: nothing was measured, or nothing was saved", Clean(run.Name))
		}
		names[run.Name] = true
	}
	r := &Report{runs: runs}
	for _, run := range runs {
		r.summaries = append(r.summaries, answers.Of(run))
	}
	var err error
	if r.figures, err = figure.All(runs, r.summaries); err != nil {
		return nil, fmt.Errorf("drawing the figures: %w", err)
	}
	r.timelines = figure.Timelines(runs)
	r.doc = newDocument(r)
	return r, nil
}

// Summaries are what is said of each run, in their order.
func (r *Report) Summaries() []answers.Summary { return r.summaries }
