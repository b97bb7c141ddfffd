package load

import (
	"context"

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

// Start sends each stream's first request.
func (c Closed) Start(ctx context.Context) *Loop {
	l := newLoop(ctx, c.Streams, c.Requests, c.MaxErrors)
	for i := range c.Streams {
		l.send(func() {
			for l.more() {
				l.add(i, c.Do(ctx, c.Next()))
			}
		})
	}
	return l
}
