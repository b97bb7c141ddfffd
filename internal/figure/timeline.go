package figure

import (
	"fmt"
	"slices"
	"time"

	"vllmbench/client"
	"vllmbench/internal/results"
)

const (
	// timelineBars is how many requests the timelines of all runs show together.
	timelineBars = 5000
	// mostFailed is how many failed requests a row shows; the others are counted.
	mostFailed = 100
	// A gap between two tokens is a stall if it is stallFactor times the row's
	// median gap and at least leastStall long: a decode step that also computes
	// prompts is no stall.
	stallFactor = 5
	leastStall  = 20 * time.Millisecond
)

// A Timeline is the requests of a run over time, as far as there is room: the
// first repetition of every cell, then the next ones.
type Timeline struct {
	Run   int           `json:"run"` // index of the run
	Name  string        `json:"name"`
	Rows  []TimelineRow `json:"rows"`
	Left  int           `json:"left,omitempty"`  // rows that are not in it
	Notes []string      `json:"notes,omitempty"` // what could not be read
}

// A TimelineRow is the requests of one row. Times are seconds since the run's epoch.
type TimelineRow struct {
	Cell       string  `json:"cell"`
	Batch      int     `json:"batch"`
	Rate       float64 `json:"rate,omitempty"` // arrivals a second, in an open loop
	Repetition int     `json:"repetition"`
	From       float64 `json:"from"` // of its window
	To         float64 `json:"to"`
	Void       string  `json:"void,omitempty"`
	Threshold  float64 `json:"threshold"` // seconds from which a gap is in a bar's stalls
	Bars       []Bar   `json:"bars"`      // by their start
	Failed     int     `json:"failed,omitempty"`
}

// A Bar is one request. Times are seconds since the run's epoch.
type Bar struct {
	Sent   float64      `json:"s"`
	First  float64      `json:"f,omitempty"` // its first token; 0: there was none
	End    float64      `json:"e"`
	Stalls [][2]float64 `json:"g,omitempty"` // gaps between tokens that are longer than the row's threshold
	Failed string       `json:"x,omitempty"` // why
}

// Timelines are the timelines of those runs that hold requests. Together they
// have a bounded number of bars, so that twenty runs make 300 kB of JSON at most.
func Timelines(runs []*results.Run) (all []Timeline) {
	names := Names(runs)
	for i, r := range runs {
		t := Timeline{Run: i, Name: names[i]}
		room := timelineBars / len(runs)
		for _, at := range byRepetition(r) {
			row := &r.Rows[at]
			// A row of failures only is a small one however many they are.
			if len(t.Rows) > 0 && min(row.Requests.Count, room+mostFailed) > room {
				t.Left++
				continue
			}
			requests, err := read(r, at)
			if err != nil {
				t.Notes = append(t.Notes, clean(fmt.Sprintf("%s, repetition %d is not in the timeline: %v", row.Measured.Name, row.Repetition, err), 300))
				continue
			}
			drawn := timelineRow(row, requests)
			t.Rows = append(t.Rows, drawn)
			room -= len(drawn.Bars)
		}
		slices.SortStableFunc(t.Rows, func(a, b TimelineRow) int { return int((a.From - b.From) * 1e6) })
		if len(t.Rows) > 0 || len(t.Notes) > 0 {
			all = append(all, t)
		}
	}
	return all
}

// byRepetition are the places of a run's rows with requests: the first
// repetition of every cell first.
func byRepetition(r *results.Run) (at []int) {
	for i := range r.Rows {
		if r.Rows[i].Requests.Count > 0 {
			at = append(at, i)
		}
	}
	slices.SortStableFunc(at, func(a, b int) int { return r.Rows[a].Repetition - r.Rows[b].Repetition })
	return at
}

func timelineRow(row *results.Row, requests []client.Result) TimelineRow {
	m := &row.Measured
	out := TimelineRow{Cell: clean(m.Name, 80), Batch: m.Batch, Rate: m.Rate, Repetition: row.Repetition, From: seconds(m.Window.From), To: seconds(m.Window.To)}
	if len(m.Void) > 0 {
		out.Void = clean(m.Void[0], 200)
	}
	threshold := stallFrom(requests)
	out.Threshold = seconds(threshold)
	for i := range requests {
		b := barOf(&requests[i], threshold)
		if b.Failed != "" {
			if out.Failed++; out.Failed > mostFailed {
				continue
			}
		}
		out.Bars = append(out.Bars, b)
	}
	slices.SortStableFunc(out.Bars, func(a, b Bar) int { return int((a.Sent - b.Sent) * 1e6) })
	return out
}

// stallFrom is the gap between tokens from which it is a stall in this row.
func stallFrom(requests []client.Result) time.Duration {
	var gaps []time.Duration
	for _, r := range requests {
		for k := 1; k < len(r.Events); k++ {
			gaps = append(gaps, r.Events[k].At-r.Events[k-1].At)
		}
	}
	if len(gaps) == 0 {
		return leastStall
	}
	slices.Sort(gaps)
	return max(leastStall, stallFactor*gaps[rank(50, len(gaps))-1])
}

func barOf(r *client.Result, threshold time.Duration) Bar {
	// A request that was refused may have no instant but its intended one.
	sent := max(r.Sent, r.Intended)
	if r.Sent > 0 {
		sent = r.Sent
	}
	b := Bar{Sent: short(sent), End: short(max(r.End, sent))}
	if n := len(r.Events); n > 0 {
		b.First = short(r.Events[0].At)
		if r.Outcome == client.OK {
			b.End = short(r.Events[n-1].At)
		}
	}
	for k := 1; k < len(r.Events); k++ {
		if from, to := r.Events[k-1].At, r.Events[k].At; to-from >= threshold {
			b.Stalls = append(b.Stalls, [2]float64{short(from), short(to)})
		}
	}
	if r.Outcome != client.OK {
		b.Failed = clean(string(r.Outcome)+": "+r.Error, 120)
	}
	return b
}

// short is a time in seconds to a tenth of a millisecond, which is finer than a pixel.
func short(d time.Duration) float64 {
	return round(d.Round(100 * time.Microsecond).Seconds())
}
