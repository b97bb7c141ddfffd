// Package load decides when requests are sent.
//
// A closed loop keeps a fixed number of streams busy and so hides queueing by
// design: what it measures is a server under a constant number of users.
package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"vllmbench/client"
)

// Closed is a closed loop: each of its streams sends its next request when its
// last one has ended. There is no barrier between streams.
type Closed struct {
	// Streams is the number of requests in flight, at least 1.
	Streams int

	// Requests is the number of requests to send in all. 0 means until Stop.
	Requests int

	// Next makes the next request. It is called from all streams.
	Next func() client.Request

	// Do sends one.
	Do func(context.Context, client.Request) client.Result

	// MaxErrors is the number of requests that may fail. One more stops the loop.
	MaxErrors int
}

// A Loop is a closed loop that was started.
type Loop struct {
	load    Closed
	ctx     context.Context
	streams sync.WaitGroup

	mu       sync.Mutex
	changed  sync.Cond // signals done, failed and running
	results  [][]client.Result
	done     int             // requests that ended well
	last     []time.Duration // last[i]: no token of the first i+1 that ended well came later
	failed   []client.Result
	begun    int
	running  int
	stopping bool
}

// Start sends each stream's first request.
func (c Closed) Start(ctx context.Context) *Loop {
	l := &Loop{load: c, ctx: ctx, results: make([][]client.Result, c.Streams), running: c.Streams}
	l.changed.L = &l.mu
	for i := range c.Streams {
		l.streams.Go(func() { l.run(i) })
	}
	return l
}

func (l *Loop) run(stream int) {
	for l.more() {
		l.add(stream, l.load.Do(l.ctx, l.load.Next()))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running--
	l.changed.Broadcast()
}

// more says whether to send another request, and counts it.
func (l *Loop) more() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	sent := l.load.Requests > 0 && l.begun == l.load.Requests
	if sent || l.stopping || len(l.failed) > l.load.MaxErrors || l.ctx.Err() != nil {
		return false
	}
	l.begun++
	return true
}

func (l *Loop) add(stream int, r client.Result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.results[stream] = append(l.results[stream], r)
	if r.Outcome != client.OK {
		l.failed = append(l.failed, r)
	} else {
		at := r.Events[len(r.Events)-1].At
		if l.done > 0 {
			at = max(at, l.last[l.done-1])
		}
		l.done++
		l.last = append(l.last, at)
	}
	l.changed.Broadcast()
}

// Await waits until n requests have ended well since the start, and returns
// when the last token of these arrived, on the client's clock. It fails when
// too many requests have failed, and when the loop's context ends.
func (l *Loop) Await(n int) (time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.done < n && l.running > 0 && len(l.failed) <= l.load.MaxErrors {
		l.changed.Wait()
	}
	switch {
	case len(l.failed) > l.load.MaxErrors:
		return 0, errors.New(client.Failures(l.failed))
	case l.done < n:
		return 0, fmt.Errorf("the load ended after %d of %d requests: %w", l.done, n, context.Cause(l.ctx))
	case n == 0:
		return 0, nil
	}
	return l.last[n-1], nil
}

// Done is the number of requests that have ended well, and when the last token
// of these arrived, on the client's clock.
func (l *Loop) Done() (n int, last time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done == 0 {
		return 0, 0
	}
	return l.done, l.last[l.done-1]
}

// Stop lets the requests in flight end, sends no more, and returns the results
// of each stream in order.
func (l *Loop) Stop() [][]client.Result {
	l.mu.Lock()
	l.stopping = true
	l.mu.Unlock()
	l.streams.Wait()
	return l.results
}
