package engine

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// counting is a server whose counter of requests is the milliseconds since it began.
func counting() *Client {
	began := time.Now()
	page := roundTrip(func(*http.Request) (*http.Response, error) {
		body := fmt.Sprintf("# TYPE vllm:request_success_total counter\nvllm:request_success_total %d\n", time.Since(began).Milliseconds())
		return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(body))}, nil
	})
	return &Client{URL: "http://h:1", HTTP: &http.Client{Transport: page}}
}

func atLeast(n float64) func(*Snapshot) bool {
	return func(s *Snapshot) bool { return s.Requests.N >= n }
}

func TestSettledWaitsForTheCounters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := counting().Settled(t.Context(), "", atLeast(65), time.Second)
		require.NoError(t, err)
		assert.Equal(t, known(70), s.Requests, "polls at 0, 10, 30, 70 ms")
	})
}

func TestSettledReturnsTheLastWhenTimeIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := counting().Settled(t.Context(), "", atLeast(1e6), time.Second)
		require.NoError(t, err)
		assert.Equal(t, known(1000), s.Requests)
	})
}

func TestSettledAsksAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := counting().Settled(t.Context(), "", atLeast(0), 0)
		require.NoError(t, err)
		assert.Equal(t, known(0), s.Requests)
	})
}

func TestSettledEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := counting().Settled(ctx, "", atLeast(1e6), time.Hour)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
	})
}
