package client

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// One event in two writes, cut at every byte of its chunk, inside UTF-8 and
// the chunk's own framing too: the token arrived when its last byte did.
func TestEveryCut(t *testing.T) {
	cut := event(`{"choices":[{"text":"Größe 面","finish_reason":null}]}`)
	raw := chunked(cut)
	whole := strings.Index(raw, "\n\n") + 2 // net/http gives out a chunk when it has all of it
	synctest.Test(t, func(t *testing.T) {
		at := 0
		c := piped(t, Config{}, func(w *wire) {
			w.say(streamHead, chunked(text("a", "")))
			time.Sleep(10 * ms)
			w.say(raw[:at])
			time.Sleep(20 * ms)
			w.say(raw[at:])
			time.Sleep(10 * ms)
			w.say(chunked(text("c", "length"))+chunked(usage(5, 3)), chunked(doneEvent)+lastChunk)
		})
		for at = 1; at < len(raw); at++ {
			res := c.Generate(t.Context(), three())
			require.Equal(t, OK, res.Outcome, "cut at %d: %s", at, res.Error)
			require.Equal(t, []int{1, 1, 1}, tokens(res))
			want := 30 * ms
			if at >= whole {
				want = 10 * ms
			}
			assert.Equal(t, want, res.Events[1].At-res.Events[0].At, "cut at %d", at)
			assert.Equal(t, 40*ms, res.Events[2].At-res.Events[0].At)
			assert.False(t, res.Events[1].Merged || res.Events[2].Merged)
		}
		assert.Equal(t, 1, c.Opened())
	})
}

// N tokens in K events, in W writes.
func TestEventsAndWrites(t *testing.T) {
	const n = 12
	for _, k := range []int{1, 5, 12} {
		for _, perWrite := range []int{1, 3, 12} {
			for _, continuous := range []bool{false, true} {
				t.Run(fmt.Sprintf("K=%d/per write=%d/continuous=%v", k, perWrite, continuous), func(t *testing.T) {
					testEvents(t, n, k, perWrite, continuous)
				})
			}
		}
	}
}

func testEvents(t *testing.T, n, k, perWrite int, continuous bool) {
	var events []string
	for i := range k {
		finish := orNull("")
		if i == k-1 {
			finish = orNull("length")
		}
		e := fmt.Sprintf(`{"choices":[{"text":"a","finish_reason":%s}]`, finish)
		if continuous {
			e += fmt.Sprintf(`,"usage":{"prompt_tokens":5,"completion_tokens":%d}`, (i+1)*n/k)
		}
		events = append(events, event(e+"}"))
	}
	script := func(w *wire) {
		w.say(streamHead)
		for i := 0; i < k; i += perWrite {
			time.Sleep(10 * ms)
			w.say(chunked(strings.Join(events[i:min(k, i+perWrite)], "")))
		}
		w.say(chunked(usage(5, n)), chunked(doneEvent), lastChunk)
	}
	inBubble(t, Config{}, script, func(t *testing.T, c *Client) {
		res := c.Generate(t.Context(), Request{Text: "Hi", PromptTokens: 5, OutputTokens: n, Exact: true, ContinuousUsage: continuous})
		require.Equal(t, OK, res.Outcome, res.Error)
		require.Len(t, res.Events, k)
		assert.Equal(t, k != n && !continuous && k > 1, res.Estimated && k > 1)
		sum := 0
		for i, e := range res.Events {
			assert.Equal(t, res.Sent+time.Duration(i/perWrite+1)*10*ms, e.At, "event %d", i)
			assert.Equal(t, i%perWrite != 0, e.Merged, "event %d", i)
			if continuous {
				assert.Equal(t, (i+1)*n/k-i*n/k, e.Tokens)
			}
			sum += e.Tokens
		}
		assert.Equal(t, n, sum)
	})
}
