// Package calibrate finds how many streams this machine's client can read
// before one of the rules takes metrics out of a row.
//
// It measures the client by the rules that measure everything else, against a sender
// that does next to nothing, so that what gives way is the client and not a server.
package calibrate

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"vllmbench/client"
	"vllmbench/internal/load"
	"vllmbench/internal/measure"
)

// Config says what to try.
type Config struct {
	// URL is the sender's address.
	URL string

	// Interval is the sender's time between two tokens of a stream.
	Interval time.Duration

	// First and Most are the least and the greatest number of streams. 0 means 32 and 4096.
	First, Most int

	// Tried, if not nil, is called after each level.
	Tried func(Level)
}

// A Level is one number of streams that was tried.
type Level struct {
	Streams    int
	Tokens     float64       // a second
	CPU        float64       // share of the processors that the client used
	Lag50      time.Duration // from a token's arrival to its reading, median; 0 under user stamps
	Lag99      time.Duration
	Merged     float64 // share of the events
	Turnaround float64 // share of E2E
	Rules      []Given // in the order of measure.Rules; none: a row holds
	SenderLate bool    // tokens came a tenth slower than the interval: the sender was at its end, too
}

// A Given is a rule that gave way.
type Given struct {
	Rule, Reason string
	Metrics      []string
}

// Holds says whether a row of that many streams keeps all its metrics.
func (l *Level) Holds() bool { return len(l.Rules) == 0 && !l.SenderLate }

// Run doubles the number of streams until a level does not hold, then halves
// the distance twice. It returns the levels in the order of their streams.
func Run(ctx context.Context, cfg Config) ([]Level, error) {
	if cfg.First == 0 {
		cfg.First = 32
	}
	if cfg.Most == 0 {
		cfg.Most = 4096
	}
	return search(cfg, func(streams int) (Level, error) {
		l, err := level(ctx, cfg, streams)
		if err != nil {
			return l, fmt.Errorf("%d streams: %w", streams, err)
		}
		if cfg.Tried != nil {
			cfg.Tried(l)
		}
		return l, nil
	})
}

func search(cfg Config, try func(streams int) (Level, error)) (levels []Level, err error) {
	holds, fails := 0, 0
	add := func(streams int) error {
		l, err := try(streams)
		if err != nil {
			return err
		}
		if levels = append(levels, l); l.Holds() {
			holds = streams
		} else {
			fails = streams
		}
		return nil
	}
	for n := cfg.First; n <= cfg.Most && fails == 0; n *= 2 {
		if err := add(n); err != nil {
			return nil, err
		}
	}
	for range 2 {
		if holds == 0 || fails-holds < 2 {
			break
		}
		if err := add((holds + fails) / 2); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(levels, func(a, b Level) int { return a.Streams - b.Streams })
	return levels, nil
}

const (
	shortest, longest = 20, 30 // tokens of a request: streams do not all end on one beat
	operations        = 3      // of a level's window
)

// level measures one number of streams as a benchmark measures a cell.
func level(ctx context.Context, cfg Config, streams int) (Level, error) {
	c, err := client.New(client.Config{BaseURL: cfg.URL, Model: "calibrate", Streams: streams})
	if err != nil {
		return Level{}, err
	}
	defer c.Close()
	var asked atomic.Int64
	work := load.Closed{Streams: streams, Do: c.Generate, Next: func() client.Request {
		tokens := shortest + int(asked.Add(1))%(longest-shortest+1)
		return client.Request{IDs: []int{1, 2, 3}, PromptTokens: 3, OutputTokens: tokens, Exact: true, Extensions: true}
	}}
	opening := work
	opening.Requests = streams
	l := opening.Start(ctx)
	if _, err := l.Await(streams); err != nil {
		l.Stop()
		return Level{}, err
	}
	l.Stop()

	l = work.Start(ctx)
	run := measure.Run{
		Cell: measure.Cell{Experiment: "calibrate", Name: fmt.Sprintf("Calibrate/streams=%d", streams), Batch: streams, PromptTokens: 3, OutputTokens: longest},
		Ops:  operations, Stamps: c.Stamps(), Procs: runtime.GOMAXPROCS(0),
	}
	stop := heartbeat(c)
	run.Window.From, err = l.Await(streams)
	opened, cpu := c.Opened(), client.CPUTime()
	if err == nil {
		run.Window.To, err = l.Await(streams * (1 + operations))
	}
	run.Opened, run.CPU = c.Opened()-opened, client.CPUTime()-cpu
	run.Streams, run.Lateness = l.Stop(), stop()
	if err != nil {
		return Level{}, err
	}
	row := run.Row()
	if len(row.Void) > 0 {
		return Level{}, errors.New(row.Void[0])
	}
	return levelOf(&row, &run, cfg.Interval), nil
}

func heartbeat(c *client.Client) (stop func() []time.Duration) {
	if c.Stamps() == client.KernelStamps {
		return func() []time.Duration { return nil }
	}
	return client.Heartbeat()
}

func levelOf(row *measure.Row, run *measure.Run, interval time.Duration) Level {
	value := func(metric string) float64 { v, _ := row.Value(metric); return v }
	seconds, tokens := run.Window.Length(), 0
	for _, rs := range run.Streams {
		for _, r := range rs {
			for _, e := range r.Events {
				if run.Window.From < e.At && e.At <= run.Window.To {
					tokens += e.Tokens
				}
			}
		}
	}
	l := Level{
		Streams: row.Batch, Tokens: float64(tokens) / seconds.Seconds(), CPU: float64(run.CPU) / float64(seconds) / float64(run.Procs),
		Lag50: time.Duration(value("p50-lag-ns")), Lag99: time.Duration(value("p99-lag-ns")),
		Merged: value("merged-%") / 100, Turnaround: value("turnaround-%") / 100,
	}
	mean := value("mean-itl-ns")
	l.SenderLate = mean > 1.1*float64(interval)
	for _, rule := range measure.Rules() {
		g := Given{Rule: rule.Name}
		for _, out := range row.LeftOut {
			if out.Rule == rule.Name && rule.Name != "samples" {
				g.Metrics, g.Reason = append(g.Metrics, out.Metric), out.Reason
			}
		}
		known := slices.ContainsFunc(l.Rules, func(other Given) bool { return other.Rule == g.Rule })
		if len(g.Metrics) > 0 && !known {
			l.Rules = append(l.Rules, g)
		}
	}
	return l
}
