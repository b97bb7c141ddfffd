package bench

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/client"
	"vllmbench/internal/measure"
	"vllmbench/internal/vllmsim"
)

// sized searches with short windows and a record, and returns the rows and the requests of each.
func sized(t *testing.T, args ...string) (*child, []measure.Row, [][]client.Result) {
	t.Helper()
	c, rows, reqs := recordChild(t, append([]string{"-prompt=10", "-limits=late=1e6,cpu=1e6,turnaround=1e6,phase=1e6"}, args...)...)
	if strings.Contains(c.all(), errLate.Error()) {
		t.Skip("this machine is too busy to send requests in time")
	}
	return c, rows, reqs
}

// oneSlot is a server that works on one request at a time, and how long the
// TTFT of so many streams of such requests is.
func oneSlot(t *testing.T, output int) (url string, ttft func(streams int) time.Duration) {
	config := vllmsim.Config{MaxNumSeqs: 1}
	return simulate(t, config), func(streams int) time.Duration {
		p, err := vllmsim.Predict(config, vllmsim.Load{Streams: streams, Prompt: 10, Output: output, Rounds: 2})
		require.NoError(t, err)
		return p.TTFT
	}
}

// TestCapacityRate searches for the rate that one slot holds, which is below
// that of its services, with waits of up to five of them.
func TestCapacityRate(t *testing.T) {
	t.Parallel()
	url, ttft := oneSlot(t, 3)
	service := ttft(2) - ttft(1)
	slo := (ttft(1) + 5*service).String()
	c, rows, reqs := sized(t, "-url="+url, "-test.bench=Capacity/rate", "-output=3", "-slo=ttft:"+slo, "-probe-window=20x", "-probes=4")
	require.Zero(t, c.status(), c.all())
	assert.Contains(t, c.comments("capacity: "), "the highest load at which 95 % of the requests meet ttft:"+slo+"; at most 4 probes of 20x each, Poisson arrivals, seed 1; latency counts from when a request was due")
	require.LessOrEqual(t, len(rows), 5)
	answer, probes := rows[len(rows)-1], rows[:len(rows)-1]
	seen := map[string][]time.Duration{}
	for i, row := range probes {
		assert.Equal(t, "probe", row.Experiment)
		assert.Regexp(t, `^Capacity/rate=[\d.]+$`, row.Name)
		assert.Empty(t, row.Void)
		assert.GreaterOrEqual(t, len(reqs[i]), 20)
		balanced(t, &row)
		due := dueIn(row, reqs[i])
		assert.NotEqual(t, seen[row.Name], due, "each probe has arrivals of its own")
		seen[row.Name] = due
	}
	assert.Equal(t, "capacity", answer.Experiment)
	assert.Equal(t, "Capacity/rate", answer.Name)
	assert.Equal(t, "ttft:"+slo, answer.SLO)
	n, ok := answer.Value("probes")
	assert.True(t, ok)
	assert.Equal(t, float64(len(probes)), n)
	high, ok := answer.Value("capacity-high-req/s")
	require.True(t, ok, c.all())
	assert.Greater(t, high, 0.4/service.Seconds())
	if low, ok := answer.Value("capacity-low-req/s"); ok {
		assert.Less(t, low, 1/service.Seconds(), "nobody serves more than one after the other")
	}
	said := c.comments("capacity: rate: ")
	require.Len(t, said, 1)
	assert.Regexp(t, `, 4 probes: |as narrow as asked`, said[0])
	line := c.results()[0]
	_, timed := line.Value("sec/op")
	assert.False(t, timed, "the time of a search tells nothing")
	shown, ok := line.Value("capacity-high-req/s")
	assert.True(t, ok)
	assert.InEpsilon(t, high, shown, 1e-3)
}

// TestCapacityBatch searches for the number of streams whose last one waits for
// three others' requests, and not for four.
func TestCapacityBatch(t *testing.T) {
	t.Parallel()
	url, ttft := oneSlot(t, 3)
	slo := (ttft(4) + ttft(5)) / 2
	c, rows, _ := sized(t, "-url="+url, "-test.bench=Capacity/batch", "-output=3", "-slo=ttft:"+slo.String(), "-probe-window=20x", "-probes=10", "-slo-share=90")
	require.Zero(t, c.status(), c.all())
	for _, row := range rows[:len(rows)-1] {
		assert.Equal(t, "probe", row.Experiment)
		assert.False(t, row.Open())
		balanced(t, &row)
		share, ok := row.Value("slo-%")
		require.True(t, ok)
		assert.Equal(t, row.Batch <= 4, share >= 90, "%s: %.3g %%", row.Name, share)
	}
	answer := rows[len(rows)-1]
	high, ok := answer.Value("capacity-high-batch")
	require.True(t, ok, c.all())
	assert.GreaterOrEqual(t, high, 5.0)
	if low, ok := answer.Value("capacity-low-batch"); ok {
		assert.LessOrEqual(t, low, 4.0)
	}
}

// TestCapacityDropped has a cap that probes reach: more cannot be sent, which is an answer.
func TestCapacityDropped(t *testing.T) {
	t.Parallel()
	url, ttft := oneSlot(t, 3)
	c, rows, _ := sized(t, "-url="+url, "-test.bench=Capacity/rate", "-output=3", "-slo=ttft:"+(30*ttft(1)).String(), "-probe-window=30x", "-probes=3", "-in-flight-max=5")
	require.Zero(t, c.status(), c.all())
	void := 0
	for _, row := range rows {
		for _, why := range row.Void {
			assert.Contains(t, why, "failed (dropped): 5 requests were in flight, which is the cap")
			void++
		}
	}
	assert.Positive(t, void, c.all())
	assert.Contains(t, c.comments("capacity: rate: ")[0], fmt.Sprintf("; %d of the probes had 5 requests in flight (-in-flight-max), which counts as not held", void))
}

// TestCapacityOfABrokenServer: a probe that proves nothing ends the search, and is no answer.
func TestCapacityOfABrokenServer(t *testing.T) {
	t.Parallel()
	c, rows, _ := sized(t, "-url="+faulty(t, "foreign=8", 30), "-test.bench=Capacity/rate", "-output=2", "-slo=ttft:1s", "-probe-window=60x")
	assert.Equal(t, 1, c.status())
	assert.Regexp(t, `probing load [\d.]+: void: ledger: .* are not ours: somebody else uses the server`, c.all())
	for _, row := range rows {
		assert.NotEqual(t, "capacity", row.Experiment)
	}
	assert.Empty(t, c.comments("capacity: rate: "))
}

func TestCapacityRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, "BenchmarkCapacity needs objectives: name them, as in -slo=ttft:500ms,itl:50ms,e2e:10s"},
		{[]string{"-slo=ttft:1s", "-slo-share=100"}, "-slo-share is 100: name a percentage between 0 and 100"},
		{[]string{"-slo=ttft:1s", "-probes=0"}, "-probes is 0: name 1 or more windows"},
		{[]string{"-slo=ttft:1s", "-probe-window=9x"}, `-probe-window is "9x": name a time, as in 20s, or at least 20 requests, as in 400x`},
		{[]string{"-slo=ttft:1s", "-probe-window=x"}, `-probe-window is "x": name a time, as in 20s, or at least 20 requests, as in 400x`},
		{[]string{"-slo=ttft:1s", "-in-flight-max=0"}, "-in-flight-max is 0: name 1 or more requests"},
	} {
		c := runChild(t, append([]string{"-test.bench=Capacity"}, tt.args...)...)
		assert.Equal(t, 1, c.status())
		assert.Equal(t, "vllmbench: "+tt.want+"\n", c.stderr.String())
	}
}
