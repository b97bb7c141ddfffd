package k6

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.k6.io/k6/lib"

	"vllmbench/client"
	"vllmbench/internal/measure"
	"vllmbench/k6/schedule"
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

// TestOpenWindow: the window begins when the load is steady, and all that is due
// in it was served while requests still came.
func TestOpenWindow(t *testing.T) {
	var all lib.ScenarioConfigs
	require.NoError(t, json.Unmarshal([]byte(`{"even":{"executor":"constant-arrival-rate","rate":1,"duration":"20s","maxVUs":9,"preAllocatedVUs":9},
		"ramp":{"executor":"ramping-arrival-rate","stages":[{"target":2,"duration":"20s"}],"maxVUs":9,"preAllocatedVUs":9}}`), &all))
	tuple, err := lib.NewExecutionTuple(nil, nil)
	require.NoError(t, err)
	even, err := schedule.Of(all["even"], tuple)
	require.NoError(t, err)
	ramp, err := schedule.Of(all["ramp"], tuple)
	require.NoError(t, err)

	var seconds []int
	for i := range 20 {
		seconds = append(seconds, i)
	}
	rs := served(seconds...)
	for i := range rs {
		rs[i].Intended, rs[i].Scheduled = rs[i].Sent, true
	}
	rs[15].End = 30 * time.Second // still served when the last one came
	assert.Equal(t, measure.Window{From: 3 * time.Second, To: 15 * time.Second}, openWindow(rs, even), "three requests' time, and up to the slow one")
	assert.Equal(t, measure.Window{From: 0, To: 30 * time.Second}, openWindow(rs, ramp), "the whole of a load that varies")
	rs[1].End = 30 * time.Second
	assert.Zero(t, openWindow(rs, even).Length(), "nothing is proven of a load whose second request outlasted it")
	assert.Zero(t, openWindow(nil, even))
}
