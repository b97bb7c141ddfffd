package load

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/client"
)

// fixed is a server that answers every request after d with one token.
func fixed(epoch time.Time, d time.Duration, inFlight, peak *atomic.Int64) func(context.Context, client.Request) client.Result {
	return func(ctx context.Context, _ client.Request) client.Result {
		if n := inFlight.Add(1); n > peak.Load() {
			peak.Store(n)
		}
		defer inFlight.Add(-1)
		sent := time.Since(epoch)
		time.Sleep(d)
		at := time.Since(epoch)
		return client.Result{Sent: sent, Events: []client.Event{{At: at, Tokens: 1}}, End: at, Outcome: client.OK}
	}
}

func next() client.Request { return client.Request{} }

func TestClosedKeepsStreamsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var inFlight, peak atomic.Int64
		l := Closed{Streams: 8, Next: next, Do: fixed(time.Now(), 100*time.Millisecond, &inFlight, &peak)}.Start(t.Context())

		ramp, err := l.Await(8)
		require.NoError(t, err)
		assert.Equal(t, 100*time.Millisecond, ramp)
		end, err := l.Await(8 + 8*5)
		require.NoError(t, err)
		assert.Equal(t, 600*time.Millisecond, end, "five more rounds without a pause")
		n, last := l.Done()
		assert.Equal(t, 48, n)
		assert.Equal(t, end, last)

		streams := l.Stop()
		require.Len(t, streams, 8)
		for _, rs := range streams {
			assert.Len(t, rs, 7, "ramp, five rounds, and the tail that Stop drained")
			for i := range rs[1:] {
				assert.Equal(t, rs[i].End, rs[i+1].Sent, "no barrier, no pause")
			}
		}
		assert.EqualValues(t, 8, peak.Load())
		assert.Zero(t, inFlight.Load(), "Stop returned with requests in flight")
	})
}

func TestClosedHasNoBarrier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		epoch := time.Now()
		var calls atomic.Int64
		do := func(context.Context, client.Request) client.Result {
			d := time.Millisecond
			if calls.Add(1) == 1 { // one slow request holds up no other stream
				d = time.Second
			}
			time.Sleep(d)
			return client.Result{Events: []client.Event{{At: time.Since(epoch), Tokens: 1}}, Outcome: client.OK}
		}
		l := Closed{Streams: 2, Next: next, Do: do}.Start(t.Context())
		at, err := l.Await(100)
		require.NoError(t, err)
		assert.Equal(t, 100*time.Millisecond, at)
		l.Stop()
	})
}

func TestClosedSendsSoManyRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var inFlight, peak atomic.Int64
		l := Closed{Streams: 4, Requests: 10, Next: next, Do: fixed(time.Now(), time.Second, &inFlight, &peak)}.Start(t.Context())
		at, err := l.Await(10)
		require.NoError(t, err)
		assert.Equal(t, 3*time.Second, at)
		n := 0
		for _, rs := range l.Stop() {
			n += len(rs)
		}
		assert.Equal(t, 10, n)
	})
}

func TestClosedStopsOnFailures(t *testing.T) {
	for _, tc := range []struct {
		name      string
		maxErrors int
		wantCalls int64 // at least; at most one more per stream
	}{
		{"none allowed", 0, 1},
		{"three allowed", 3, 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var calls atomic.Int64
				do := func(context.Context, client.Request) client.Result {
					calls.Add(1)
					time.Sleep(time.Millisecond)
					return client.Result{Outcome: client.HTTP5xx, Error: "HTTP 503: busy"}
				}
				l := Closed{Streams: 2, Next: next, Do: do, MaxErrors: tc.maxErrors}.Start(t.Context())
				_, err := l.Await(10)
				require.ErrorContains(t, err, "failed (http_5xx): HTTP 503: busy")
				l.Stop()
				assert.GreaterOrEqual(t, calls.Load(), tc.wantCalls)
				assert.LessOrEqual(t, calls.Load(), tc.wantCalls+2)
			})
		})
	}
}

func TestClosedEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		var inFlight, peak atomic.Int64
		l := Closed{Streams: 2, Next: next, Do: fixed(time.Now(), time.Second, &inFlight, &peak)}.Start(ctx)
		go func() {
			time.Sleep(2500 * time.Millisecond)
			cancel(errors.New("interrupted"))
		}()
		_, err := l.Await(100)
		require.EqualError(t, err, "the load ended after 6 of 100 requests: interrupted")
		l.Stop()
	})
}
