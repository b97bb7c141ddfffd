package client

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestArrivalOf(t *testing.T) {
	c := clock{time.Now()}
	read := c.epoch.Add(100 * ms) // 100 ms later on both clocks
	wall := func(at time.Duration) int64 { return c.epoch.Add(at).UnixNano() }
	user := arrival{at: 100 * ms, seen: 100 * ms}
	tests := []struct {
		name     string
		stamp    int64
		earliest time.Duration
		want     arrival
	}{
		{"no stamp", 0, 0, user},
		{"stamped before it was read", wall(93 * ms), 50 * ms, arrival{at: 93 * ms, seen: 100 * ms, stamped: true}},
		{"read at once", wall(100 * ms), 50 * ms, arrival{at: 100 * ms, seen: 100 * ms, stamped: true}},
		{"as early as can be", wall(50 * ms), 50 * ms, arrival{at: 50 * ms, seen: 100 * ms, stamped: true}},
		{"the wall clock went back", wall(101 * ms), 50 * ms, user},
		{"the wall clock went forward", wall(49 * ms), 50 * ms, user},
		{"a day of difference", wall(-24 * time.Hour), 50 * ms, user},
		{"nonsense", -1 << 63, 50 * ms, user},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, c.arrivalOf(tt.stamp, read, tt.earliest))
		})
	}
}
