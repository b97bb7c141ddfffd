package k6

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"vllmbench/client"
	"vllmbench/internal/measure"
)

// served are requests sent at the given seconds, each of which takes a second.
func served(seconds ...int) (rs []client.Result) {
	for _, at := range seconds {
		sent := time.Duration(at) * time.Second
		rs = append(rs, client.Result{Sent: sent, End: sent + time.Second, Outcome: client.OK, Events: []client.Event{{At: sent + time.Second, Tokens: 1}}})
	}
	return rs
}

func TestClosedWindow(t *testing.T) {
	window := func(from, to int) measure.Window {
		return measure.Window{From: time.Duration(from) * time.Second, To: time.Duration(to) * time.Second}
	}
	streams := [][]client.Result{served(1, 2, 3, 4, 5), served(2, 3, 4)}
	assert.Equal(t, window(3, 5), closedWindow(streams, true), "both were at work")
	assert.Equal(t, window(1, 6), closedWindow(streams, false), "streams come and go")
	assert.Zero(t, closedWindow([][]client.Result{served(1), served(9)}, true).Length(), "never both")
	assert.Zero(t, closedWindow(nil, true))
}

func TestInstanceName(t *testing.T) {
	for _, c := range []struct{ segment, given, name, err string }{
		{name: "instance-1"},
		{segment: "0:1/4", name: "instance-1"},
		{segment: "3/4:1", name: "instance-4"},
		{segment: "1/3:2/3", name: "instance-2"},
		{segment: "1/4:1", given: "pod-7", name: "pod-7"},
		{segment: "1/4:1", err: "the segment 1/4:1 is not one of equal ones"},
		{given: "../other", err: "name a folder, not a path"},
		{given: "..", err: "name a folder, not a path"},
	} {
		name, err := instanceName(c.segment, c.given)
		assert.Equal(t, c.name, name)
		if c.err == "" {
			assert.NoError(t, err)
		} else {
			assert.ErrorContains(t, err, c.err)
		}
	}
}
