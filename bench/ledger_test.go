package bench

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"vllmbench/internal/engine"
	"vllmbench/internal/measure"
)

// settling is how long the server's counters may take to follow its streams' ends.
const settling = 2 * time.Second

// confirming is how many reads more tell a server that was started anew from
// two that answer in turns: the latter look like the former in 1 of 2^8 cases.
const confirming = 8

// A ledger is what the server says of itself around one load: its counters
// before and after, when nothing of ours is in flight, and its gauges at these
// moments and in the tail. A server without counters has an empty one.
type ledger struct {
	*session
	reads  engine.Series
	gauges []measure.Gauge
}

// openLedger reads what the server has counted so far.
func (s *session) openLedger() (*ledger, error) {
	k := &ledger{session: s}
	if !s.info.Counters {
		return k, nil
	}
	before, err := s.engine.Snapshot(s.ctx, s.counted())
	if err != nil {
		return nil, err
	}
	k.note("before", before)
	return k, nil
}

// counted is the model whose counters make the ledger, or "" for all: vLLM
// counts its adapters under the model's name.
func (s *session) counted() string {
	if len(flags.models) > 0 {
		return ""
	}
	return s.info.Model
}

// note keeps a read that was answered just now.
func (k *ledger) note(moment string, read *engine.Snapshot) {
	k.reads = append(k.reads, read)
	k.gauges = append(k.gauges, measure.Gauge{Name: moment, From: read.At.Sub(k.client.Epoch()), To: k.client.Now(), Requests: read.InFlight(), Idle: moment != "tail"})
}

// tail reads the gauges under load, wait after the window's end: a read costs
// the server milliseconds, which are then no part of the window. Of a read
// that fails nothing is kept, since the one behind the load says why.
func (k *ledger) tail(wait time.Duration) (done func()) {
	if !k.info.Counters {
		return func() {}
	}
	var read sync.WaitGroup
	read.Go(func() {
		select {
		case <-k.ctx.Done():
			return
		case <-time.After(wait):
		}
		if s, err := k.engine.Snapshot(k.ctx, k.counted()); err == nil {
			k.note("tail", s)
		}
	})
	return read.Wait
}

// balance reads what the server has counted once it has counted all that
// ended, or what there is when it does not come to that, into run.
func (k *ledger) balance(run *measure.Run) error {
	if !k.info.Counters {
		return nil
	}
	var requests, tokens float64
	for _, r := range slices.Concat(run.Streams...) {
		requests++
		tokens += float64(r.OutputTokens)
	}
	again := 0
	reached := func(v engine.Value, n float64) bool { return !v.Known || v.N >= n }
	after, err := k.engine.Settled(k.ctx, k.counted(), func(now *engine.Snapshot) bool {
		k.reads = append(k.reads, now)
		d := k.reads.Delta()
		if d.Reset {
			again++
			return again > confirming
		}
		return d.Several || reached(d.Requests, requests) && reached(d.GenerationTokens, tokens)
	}, settling)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	run.Server = k.reads.Delta()
	k.note("after", after)
	if !run.Server.Several && !run.Server.Reset {
		run.Gauges = k.gauges
	}
	return nil
}

// dying is how long a server may take to die, in which its system still takes
// connections that nobody answers.
const dying = 200 * time.Millisecond

// alive returns why no further cell can be measured, if so.
func (s *session) alive() error {
	_, err := s.engine.Discover(s.ctx, s.info.Model)
	if err != nil {
		select {
		case <-s.ctx.Done():
		case <-time.After(dying):
			_, err = s.engine.Discover(s.ctx, s.info.Model)
		}
	}
	switch {
	case s.ctx.Err() != nil:
		return errors.New("the run was interrupted")
	case err != nil:
		return fmt.Errorf("the server is gone: %w", err)
	}
	return nil
}
