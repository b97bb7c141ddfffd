package load

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/client"
)

const ms = time.Millisecond

// even are n arrivals, 10 ms apart from 5 ms on.
func even(t testing.TB, n int) Schedule {
	return schedule(t, Arrivals{Phases: []Phase{{100, 100, time.Duration(n) * 10 * ms}}, Burstiness: math.Inf(1)})
}

func TestOpenKeepsItsSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		epoch := time.Now()
		time.Sleep(time.Hour) // the client is older than the loop
		s := schedule(t, Arrivals{Phases: []Phase{{10, 100, 10 * time.Second}}, Seed: 1})
		var inFlight, peak atomic.Int64

		do := fixed(epoch, 5*time.Second, &inFlight, &peak) // slow: hundreds are in flight
		l := Open{Schedule: s, InFlight: 1000, Epoch: epoch, Next: next, Do: do}.Start(t.Context())
		last, err := l.Await(len(s))
		require.NoError(t, err)
		assert.Equal(t, time.Hour+s[len(s)-1]+5*time.Second, last)
		n, at := l.Done()
		assert.Equal(t, len(s), n)
		assert.Equal(t, last, at)

		streams := l.Stop()
		require.Len(t, streams, 1)
		require.Len(t, streams[0], len(s))
		for i, r := range streams[0] {
			assert.Equal(t, time.Hour+s[i], r.Intended, "to the nanosecond")
			assert.Equal(t, r.Intended, r.Sent, "no answer delays an arrival")
		}
		assert.Greater(t, peak.Load(), int64(200))
		assert.Zero(t, inFlight.Load())
	})
}

func TestOpenTellsTheClientWhenItWasDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var due []time.Duration
		do := func(_ context.Context, r client.Request) client.Result {
			due = append(due, r.Intended)
			return client.Result{Outcome: client.OK, Events: []client.Event{{}}}
		}
		l := Open{Schedule: Schedule{ms, 2 * ms, 7 * ms}, InFlight: 1, Epoch: time.Now(), Next: next, Do: do}.Start(t.Context())
		_, err := l.Await(3)
		require.NoError(t, err)
		l.Stop()
		assert.Equal(t, []time.Duration{ms, 2 * ms, 7 * ms}, due)
	})
}

// TestOpenCatchesUp: a loop that was held up sends at once what is due, and counts from when it was.
func TestOpenCatchesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := 0
		slow := func() client.Request {
			if made++; made == 3 { // while the second is in flight
				time.Sleep(100 * ms)
			}
			return client.Request{}
		}
		var inFlight, peak atomic.Int64
		l := Open{Schedule: even(t, 20), InFlight: 20, Epoch: time.Now(), Next: slow, Do: fixed(time.Now(), ms, &inFlight, &peak)}.Start(t.Context())
		_, err := l.Await(20)
		require.NoError(t, err)
		for i, r := range l.Stop()[0] {
			due := time.Duration(10*i+5) * ms
			assert.Equal(t, due, r.Intended)
			if i < 2 {
				assert.Equal(t, due, r.Sent)
			} else {
				assert.Equal(t, max(due, 115*ms), r.Sent)
			}
		}
	})
}

func TestOpenDropsBeyondItsCap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var inFlight, peak atomic.Int64
		l := Open{Schedule: even(t, 100), InFlight: 3, Epoch: time.Now(), Next: next, Do: fixed(time.Now(), 55*ms, &inFlight, &peak), MaxErrors: 100}.Start(t.Context())
		_, err := l.Await(100)
		require.EqualError(t, err, "the load ended after 51 of 100 requests: it had no more to send")
		rs := l.Stop()[0]
		require.Len(t, rs, 100, "each arrival has its result")
		for i, r := range rs {
			assert.Equal(t, time.Duration(10*i+5)*ms, r.Intended)
			if i%6 < 3 { // three are sent, and the next three find them in flight
				assert.Equal(t, client.OK, r.Outcome)
			} else {
				assert.Equal(t, client.Result{Intended: r.Intended, Scheduled: true, Outcome: client.Dropped, Error: "3 requests were in flight, which is the cap"}, r)
			}
		}
		assert.EqualValues(t, 3, peak.Load())
	})
}

func TestOpenStopsOnDrops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var inFlight, peak atomic.Int64
		l := Open{Schedule: even(t, 100), InFlight: 1, Epoch: time.Now(), Next: next, Do: fixed(time.Now(), time.Hour, &inFlight, &peak), MaxErrors: 1}.Start(t.Context())
		_, err := l.Await(100)
		require.EqualError(t, err, "2 failed (dropped): 1 requests were in flight, which is the cap")
		assert.Len(t, l.Stop()[0], 3, "one sent, two dropped, and no more")
	})
}

func TestOpenEnds(t *testing.T) {
	for _, tc := range []struct {
		name string
		end  func(l *Loop, cancel context.CancelCauseFunc)
		want string
	}{
		{"by its context", func(_ *Loop, cancel context.CancelCauseFunc) { cancel(errors.New("interrupted")) }, "the load ended after 3 of 10 requests: interrupted"},
		{"by Stop", func(l *Loop, _ context.CancelCauseFunc) { l.Stop() }, "the load ended after 3 of 10 requests: it had no more to send"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				began := time.Now()
				var inFlight, peak atomic.Int64
				s := Schedule{time.Second, 2 * time.Second, 3 * time.Second, time.Hour} // the last is far off
				l := Open{Schedule: s, InFlight: 9, Epoch: began, Next: next, Do: fixed(began, time.Second, &inFlight, &peak)}.Start(ctx)
				time.AfterFunc(3500*ms, func() { tc.end(l, cancel) })
				_, err := l.Await(10)
				require.EqualError(t, err, tc.want)
				assert.Len(t, l.Stop()[0], 3)
				assert.Equal(t, 4*time.Second, time.Since(began), "what was in flight has ended, and nothing was waited for besides")
			})
		})
	}
}

// TestOpenWaitsInRealTime runs the waiter on the kernel's clock: it is never early.
func TestOpenWaitsInRealTime(t *testing.T) {
	w := newWaiter()
	defer w.close()
	for range 20 {
		due := time.Now().Add(300 * time.Microsecond)
		require.True(t, w.until(due, nil, nil))
		require.False(t, time.Now().Before(due))
	}
	done := make(chan struct{})
	close(done)
	require.False(t, w.until(time.Now().Add(time.Hour), nil, done))
}

// TestOpenWaits has a loop of four requests, of which each takes longer than the next one's arrival.
func TestOpenWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		epoch := time.Now()
		var inFlight, peak atomic.Int64
		l := Open{Schedule: even(t, 4), InFlight: 10, Epoch: epoch, Next: next, Do: fixed(epoch, 15*ms, &inFlight, &peak)}.Start(t.Context())
		assert.Equal(t, epoch, l.Began())
		require.NoError(t, l.Until(epoch.Add(12*ms)))
		assert.Equal(t, 12*ms, time.Since(epoch))
		require.NoError(t, l.Settled(2))
		assert.Equal(t, 30*ms, time.Since(epoch), "the second one was sent at 15 ms")
		require.NoError(t, l.Until(epoch.Add(time.Hour)))
		assert.Equal(t, 50*ms, time.Since(epoch), "nothing is left")
		assert.EqualError(t, l.Settled(5), "the load ended after 4 of 5 requests: it had no more to send")
		l.Stop()
	})
}

func TestOpenWaitsNoLongerThanItsErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		do := func(context.Context, client.Request) client.Result {
			return client.Result{Outcome: client.HTTP5xx, Error: "HTTP 500: broken"}
		}
		l := Open{Schedule: even(t, 4), InFlight: 10, Epoch: time.Now(), Next: next, Do: do}.Start(t.Context())
		assert.EqualError(t, l.Until(time.Now().Add(time.Hour)), "1 failed (http_5xx): HTTP 500: broken")
		assert.EqualError(t, l.Settled(4), "1 failed (http_5xx): HTTP 500: broken")
		assert.Len(t, l.Stop()[0], 1)
	})
}
