package engine

import (
	"context"
	"fmt"
	"time"
)

const (
	firstPoll = 10 * time.Millisecond // about what one page costs the server
	lastPoll  = 250 * time.Millisecond
)

// Settled reads snapshots for model until one satisfies until, and returns
// it. After within it returns the last one as it is, without an error, so that
// the caller's ledger shows what is missing.
//
// A server counts a request's end just after the last byte of its stream, so
// a read at once may miss it.
func (c *Client) Settled(ctx context.Context, model string, until func(*Snapshot) bool, within time.Duration) (*Snapshot, error) {
	deadline := time.Now().Add(within)
	for wait := firstPoll; ; wait = min(2*wait, lastPoll) {
		s, err := c.Snapshot(ctx, model)
		if err != nil {
			return nil, err
		}
		left := time.Until(deadline)
		if until(s) || left <= 0 {
			return s, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for the server's counters: %w", ctx.Err())
		case <-time.After(min(wait, left)):
		}
	}
}
