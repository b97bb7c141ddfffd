package measure

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"vllmbench/client"
)

func TestByModel(t *testing.T) {
	request := func(model string, sent, ttft time.Duration) client.Result {
		return client.Result{Model: model, Sent: sent, Outcome: client.OK, Events: []client.Event{{At: sent + ttft, Tokens: 1}}}
	}
	failed := request("a", 5, 1)
	failed.Outcome = client.StreamError
	r := Run{Window: Window{From: 0, To: 100}, Streams: [][]client.Result{
		{request("a", 10, 7), request("b", 20, 3), failed},
		{request("b", 30, 4), request("b", 99, 4), request("", 50, 9)},
	}}
	assert.Equal(t, map[string][]time.Duration{"a": {7}, "b": {3, 4}}, r.ByModel())
	assert.Empty(t, (&Run{}).ByModel())
}

// TestMedianHolds counts how often the interval holds the median of the distribution.
func TestMedianHolds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{6, 7, 20, 101} {
		held := 0
		const tries = 2000
		for range tries {
			ds := make([]time.Duration, n)
			for i := range ds {
				ds[i] = time.Duration(r.ExpFloat64() * 1e6)
			}
			low, at, high, known := Median(ds)
			assert.True(t, known && low <= at && at <= high)
			if low <= 693147 && 693147 <= high { // ln 2
				held++
			}
		}
		assert.GreaterOrEqual(t, held, tries*94/100, "of %d samples", n)
	}
	_, at, _, known := Median([]time.Duration{3, 1, 2})
	assert.Equal(t, time.Duration(2), at)
	assert.False(t, known)
}
