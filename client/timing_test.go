package client

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const ms = time.Millisecond

// inBubble runs f in fake time with a client of script, whose connections
// have to end by themselves: a goroutine left over fails the test.
func inBubble(t *testing.T, cfg Config, script func(*wire), f func(t *testing.T, c *Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, piped(t, cfg, script)) })
}

// Every time of a result, exact to the nanosecond.
func TestTimes(t *testing.T) {
	script := func(w *wire) {
		time.Sleep(10 * ms)
		w.say(streamHead)
		time.Sleep(30 * ms)
		w.say(chunked(delta(`"role":"assistant","content":""`, "")))
		time.Sleep(60 * ms)
		w.say(chunked(delta(`"reasoning":"a"`, "")))
		time.Sleep(20 * ms)
		w.say(chunked(delta(`"content":"b"`, "") + delta(`"content":"c"`, "")))
		time.Sleep(40 * ms)
		w.say(chunked(delta(`"tool_calls":[{}]`, "tool_calls")))
		time.Sleep(5 * ms)
		w.say(chunked(usage(5, 4)))
		time.Sleep(5 * ms)
		w.say(chunked(doneEvent))
		time.Sleep(50 * ms)
		w.say(lastChunk)
	}
	inBubble(t, Config{}, script, func(t *testing.T, c *Client) {
		for i := range 2 {
			time.Sleep(1000*ms - c.Now()%(1000*ms))
			t0 := c.Now()
			res := c.Generate(t.Context(), Request{Endpoint: Chat, Text: "Hi", PromptTokens: 5, OutputTokens: 4, Intended: t0 - 3*ms})
			require.Equal(t, OK, res.Outcome, res.Error)
			assert.Equal(t, Result{
				Intended: t0 - 3*ms, Scheduled: true, Sent: t0, FirstByte: t0 + 10*ms, End: t0 + 170*ms,
				Events: []Event{
					{At: t0 + 100*ms, Tokens: 1},
					{At: t0 + 120*ms, Tokens: 1},
					{At: t0 + 120*ms, Tokens: 1, Merged: true},
					{At: t0 + 160*ms, Tokens: 1},
				},
				PromptTokens: 5, OutputTokens: 4, FinishReason: "tool_calls",
				Reused: i > 0, Attempts: 1, Outcome: OK,
			}, res)
			assert.Equal(t, t0+220*ms, c.Now(), "it drains")
			assert.Equal(t, 103*ms, res.TTFT(), "from when it was due")
			assert.Equal(t, 163*ms, res.E2E())
			res.Scheduled = false
			assert.Equal(t, 100*ms, res.TTFT(), "from its sending")
			assert.Equal(t, 160*ms, res.E2E())
			assert.Equal(t, 20*ms, res.TPOT())
		}
		assert.Equal(t, UserStamps, c.Stamps(), "a pipe has no kernel stamps")
	})
}

func TestTimeouts(t *testing.T) {
	tests := []struct {
		name   string
		script func(*wire)
		after  time.Duration
		want   Outcome
		error  string
		tokens []int
	}{
		{"no answer", func(w *wire) {}, 5 * time.Second, TimeoutFirstToken, "no token in 5s", []int{}},
		{"header only", func(w *wire) { w.say(streamHead) }, 5 * time.Second, TimeoutFirstToken, "no token in 5s", []int{}},
		{"role chunk is no token", func(w *wire) {
			time.Sleep(4 * time.Second)
			w.say(streamHead, chunked(delta(`"role":"assistant","content":""`, "")))
		}, 5 * time.Second, TimeoutFirstToken, "no token in 5s", []int{}},
		{"comments are no token", func(w *wire) {
			w.say(streamHead)
			for range 20 {
				time.Sleep(time.Second / 2)
				w.say(chunked(": ping\n\n"))
			}
		}, 5 * time.Second, TimeoutFirstToken, "no token in 5s", []int{}},
		{"stall", func(w *wire) {
			w.say(streamHead)
			for range 3 {
				time.Sleep(1900 * ms)
				w.say(chunked(text("a", "")))
			}
		}, 3*1900*ms + 2*time.Second, TimeoutStall, "no event in 2s after the first token", []int{1, 1, 1}},
		{"stall under comments", func(w *wire) {
			w.say(streamHead, chunked(text("a", "")))
			for range 20 {
				time.Sleep(time.Second / 2)
				w.say(chunked(": ping\n\n"))
			}
		}, 2 * time.Second, TimeoutStall, "no event in 2s after the first token", []int{1}},
		{"stall before [DONE]", func(w *wire) { w.say(streamHead, chunked(text("a", "stop")), chunked(usage(5, 1))) },
			2 * time.Second, TimeoutStall, "no event in 2s after the first token", []int{1}},
		{"an empty text is a token", func(w *wire) { w.say(streamHead, chunked(text("", ""))) },
			2 * time.Second, TimeoutStall, "no event in 2s after the first token", []int{}},
		{"[DONE] without an end", func(w *wire) { w.say(whole()[:6]...) }, drainTime, OK, "", []int{1, 1, 1}},
		{"error without an end", func(w *wire) { w.say(streamHead, chunked(event(`{"error":{"message":"m"}}`)), chunked("\n")) },
			0, StreamError, "m", []int{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, Config{FirstToken: 5 * time.Second, Stall: 2 * time.Second}, tt.script, func(t *testing.T, c *Client) {
				began := c.Now()
				res := c.Generate(t.Context(), three())
				assert.Equal(t, tt.want, res.Outcome)
				assert.Equal(t, tt.error, res.Error)
				assert.Equal(t, tt.tokens, tokens(res))
				assert.Equal(t, tt.after, c.Now()-began)
				if tt.want == TimeoutFirstToken || tt.want == TimeoutStall {
					assert.Equal(t, c.Now(), res.End, "when the client gave up")
				}
			})
		})
	}
}

// The timeouts bound waits, not the request: a long stream is no stall.
func TestLongStream(t *testing.T) {
	script := func(w *wire) {
		w.say(streamHead)
		for range 99 {
			time.Sleep(1900 * ms)
			w.say(chunked(text("a", "")))
		}
		time.Sleep(1900 * ms)
		w.say(chunked(text("a", "length")), chunked(usage(5, 100)), chunked(doneEvent), lastChunk)
	}
	inBubble(t, Config{FirstToken: 2 * time.Second, Stall: 2 * time.Second}, script, func(t *testing.T, c *Client) {
		res := c.Generate(t.Context(), Request{Text: "Hi", PromptTokens: 5, OutputTokens: 100, Exact: true})
		assert.Equal(t, OK, res.Outcome, res.Error)
		assert.Equal(t, 1900*ms, res.TPOT())
		assert.Equal(t, 190*time.Second, res.E2E())
	})
}

// A deadline or cancellation of the caller's is not a timeout of ours.
func TestCallersDeadline(t *testing.T) {
	inBubble(t, Config{}, func(w *wire) { w.say(streamHead, chunked(text("a", ""))) }, func(t *testing.T, c *Client) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("the run is over"))
		defer cancel()
		began := c.Now()
		res := c.Generate(ctx, three())
		assert.Equal(t, Cancelled, res.Outcome)
		assert.Equal(t, "cancelled: the run is over", res.Error)
		assert.Equal(t, began+time.Second, res.End)
	})
}

// A kept connection is not used when the server may be about to close it.
func TestIdleConnectionsEnd(t *testing.T) {
	inBubble(t, Config{}, func(w *wire) { w.say(whole()...) }, func(t *testing.T, c *Client) {
		for _, idle := range []time.Duration{0, idleTimeout - 1, idleTimeout + 1} {
			time.Sleep(idle)
			res := c.Generate(t.Context(), three())
			assert.Equal(t, OK, res.Outcome, res.Error)
			assert.Equal(t, idle == idleTimeout-1, res.Reused)
		}
		assert.Equal(t, 2, c.Opened())
	})
}
