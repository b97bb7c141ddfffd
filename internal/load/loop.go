package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"vllmbench/client"
)

// errAllSent is why a load ended that nobody interrupted.
var errAllSent = errors.New("it had no more to send")

// A Loop is a load that was started: a closed loop or an open one.
type Loop struct {
	ctx       context.Context
	requests  int // to send in all; 0 means until Stop
	maxErrors int
	senders   sync.WaitGroup
	quit      chan struct{} // closed by Stop
	stop      func()        // closes quit, once

	mu      sync.Mutex
	changed sync.Cond // signals done, failed and running
	results [][]client.Result
	done    int             // requests that ended well
	last    []time.Duration // last[i]: no token of the first i+1 that ended well came later
	failed  []client.Result
	begun   int
	running int // goroutines from which results may still come
	settled int // the open loop's first requests that have ended, well or not

	began time.Time // of an open loop
}

func newLoop(ctx context.Context, streams, requests, maxErrors int) *Loop {
	l := &Loop{ctx: ctx, requests: requests, maxErrors: maxErrors, quit: make(chan struct{}), results: make([][]client.Result, streams)}
	l.stop = sync.OnceFunc(func() { close(l.quit) })
	l.changed.L = &l.mu
	return l
}

// send runs f, from which results may come, on a goroutine of its own. It is
// called by Start, or by an f.
func (l *Loop) send(f func()) {
	l.mu.Lock()
	l.running++
	l.mu.Unlock()
	l.senders.Go(func() {
		f()
		l.mu.Lock()
		defer l.mu.Unlock()
		l.running--
		l.changed.Broadcast()
	})
}

// more says whether to send another request, and counts it.
func (l *Loop) more() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	sent := l.requests > 0 && l.begun == l.requests
	if sent || l.stopped() || len(l.failed) > l.maxErrors || l.ctx.Err() != nil {
		return false
	}
	l.begun++
	return true
}

func (l *Loop) stopped() bool {
	select {
	case <-l.quit:
		return true
	default:
		return false
	}
}

// add takes the result that follows the others of its stream.
func (l *Loop) add(stream int, r client.Result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.results[stream] = append(l.results[stream], r)
	l.count(r)
}

// count takes a result into the sums. l.mu is held.
func (l *Loop) count(r client.Result) {
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
// too many requests have failed, when the loop's context ends, and when all
// requests were sent and fewer than n ended well.
func (l *Loop) Await(n int) (time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.done < n && l.running > 0 && len(l.failed) <= l.maxErrors {
		l.changed.Wait()
	}
	if err := l.over(l.done, n); err != nil || n == 0 {
		return 0, err
	}
	return l.last[n-1], nil
}

// over says why no more than got of n requests can be had. l.mu is held.
func (l *Loop) over(got, n int) error {
	switch {
	case len(l.failed) > l.maxErrors:
		return errors.New(client.Failures(l.failed))
	case got < n:
		cause := context.Cause(l.ctx)
		if cause == nil {
			cause = errAllSent
		}
		return fmt.Errorf("the load ended after %d of %d requests: %w", got, n, cause)
	}
	return nil
}

// Settled waits until the first n requests of an open loop's schedule have
// ended, well or not. It fails as Await does.
func (l *Loop) Settled(n int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		for rs := l.results[0]; l.settled < len(rs) && rs[l.settled].Outcome != ""; {
			l.settled++
		}
		if len(l.failed) > l.maxErrors || l.settled >= n || l.running == 0 {
			break
		}
		l.changed.Wait()
	}
	return l.over(l.settled, n)
}

// Until waits for t. It fails as Await does, and ends earlier if nothing is left to send.
func (l *Loop) Until(t time.Time) error {
	wake := time.AfterFunc(time.Until(t), func() {
		l.mu.Lock() // so that no waiter is between its look at the clock and its wait
		defer l.mu.Unlock()
		l.changed.Broadcast()
	})
	defer wake.Stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	for time.Now().Before(t) && l.running > 0 && len(l.failed) <= l.maxErrors {
		l.changed.Wait()
	}
	return l.over(0, 0)
}

// Began is the instant from which an open loop's schedule counts.
func (l *Loop) Began() time.Time { return l.began }

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
	l.stop()
	l.senders.Wait()
	return l.results
}
