package bench

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/client"
	"vllmbench/internal/measure"
	"vllmbench/internal/vllmsim"
)

// arriving are arguments for short windows of an open loop.
func arriving(more ...string) []string {
	return append([]string{"-test.bench=Arrivals", "-prompt=10", "-output=8", "-test.benchtime=60x", "-limits=late=1e6,cpu=1e6,merged=1"}, more...)
}

// arrived runs them with a record, and returns the rows and the requests of each.
func arrived(t *testing.T, args ...string) (*child, []measure.Row, [][]client.Result) {
	t.Helper()
	return recordChild(t, arriving(args...)...)
}

// dueIn are the instants in the row's window at which requests were due, since its begin.
func dueIn(row measure.Row, rs []client.Result) (due []time.Duration) {
	for _, r := range rs {
		if w := row.Window; w.From <= r.Intended && r.Intended < w.To {
			due = append(due, r.Intended-w.From)
		}
	}
	return due
}

// TestArrivals sends by two rates, and by the same seed twice.
func TestArrivals(t *testing.T) {
	t.Parallel()
	c, rows, reqs := arrived(t, "-rates=30,60", "-slo=ttft:10s")
	assert.Zero(t, c.status(), c.all())
	assert.Equal(t, []string{"Arrivals/rate=30", "Arrivals/rate=60"}, c.cells())
	for _, r := range c.results() {
		assert.Equal(t, "ttft:10s", r.GetConfig("slo"))
		_, timed := r.Value("sec/op")
		assert.False(t, timed, "the time of an operation is asked for, not measured")
	}
	assert.Contains(t, c.comments("arrivals: "), "an open loop, Poisson, seed 1; latency counts from when a request was due; at most 1024 in flight")
	for i, rate := range []float64{30, 60} {
		row := rows[i]
		assert.Empty(t, row.Void)
		assert.Equal(t, rate, row.Rate)
		assert.Equal(t, time.Duration(60/rate*1e9), row.Window.Length())
		balanced(t, &row)
		assert.Len(t, dueIn(row, reqs[i]), 60, "as many as were asked for")
		assert.Greater(t, len(reqs[i]), 61, "ramp and tail")
		offered, _ := row.Value("offered-req/s")
		assert.InDelta(t, rate, offered, 1e-6)
		met, _ := row.Value("goodput-req/s")
		assert.InDelta(t, rate, met, 1e-6)
		for _, r := range reqs[i] {
			assert.True(t, r.Scheduled)
			assert.GreaterOrEqual(t, r.Sent, r.Intended)
		}
	}
	_, again, reqsAgain := arrived(t, "-rates=30,60", "-test.bench=Arrivals/rate=60")
	first, second := dueIn(rows[1], reqs[1]), dueIn(again[0], reqsAgain[0])
	require.Len(t, second, len(first))
	for i := range first {
		assert.InDelta(t, first[i], second[i], float64(time.Millisecond), "the seed's instants")
	}
	_, _, other := arrived(t, "-rates=60", "-seed=2")
	assert.NotEqual(t, first[0].Milliseconds(), (other[0][0].Intended - reqs[1][0].Intended).Milliseconds())
}

// TestSchedule sends by a file: the window is all of it, and ends with the last token.
func TestSchedule(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "spike.txt")
	require.NoError(t, os.WriteFile(file, []byte("10..30 1s # a ramp\n100 200ms\n"), 0o666))
	c, rows, reqs := arrived(t, "-schedule="+file, "-burstiness=inf")
	assert.Zero(t, c.status(), c.all())
	assert.Equal(t, []string{"Arrivals/schedule=spike"}, c.cells())
	require.Len(t, rows, 1)
	assert.Len(t, reqs[0], 40+1-1, "20 and 20, and none before or behind")
	assert.Len(t, dueIn(rows[0], reqs[0]), 40)
	assert.Equal(t, 40, rows[0].Requests, "the last one's last token is the window's end")
	assert.InDelta(t, 40/1.2, rows[0].Rate, 1e-9)
}

// TestOverload asks for more than one slot can serve: throughput is measured, latency is not.
func TestOverload(t *testing.T) {
	t.Parallel()
	c, rows, _ := arrived(t, "-url="+simulate(t, vllmsim.Config{MaxNumSeqs: 1}), "-rates=150", "-output=2", "-slo=ttft:1s")
	assert.Zero(t, c.status(), c.all())
	_, ok := rows[0].Value("p50-ttft-ns")
	assert.False(t, ok, "%v", rows[0].Values)
	served, _ := rows[0].Value("served-%")
	assert.Less(t, served, 60.0)
	growth, _ := rows[0].Value("growth-req/s")
	assert.Greater(t, growth, 10.0)
	assert.Len(t, c.comments("left out: p50-ttft-ns, "), 1, c.all())
	assert.Contains(t, c.all(), "there is no steady state at this rate")
}

// TestDropped has a cap that the load reaches.
func TestDropped(t *testing.T) {
	t.Parallel()
	c, rows, _ := arrived(t, "-url="+simulate(t, vllmsim.Config{MaxNumSeqs: 1}), "-rates=40", "-in-flight-max=5")
	assert.Equal(t, 1, c.status())
	require.Len(t, rows, 1)
	require.NotEmpty(t, rows[0].Void)
	assert.Regexp(t, `^\d+ failed \(dropped\): 5 requests were in flight, which is the cap`, rows[0].Void[0])
}

func TestArrivalsRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"-rates=x"}, `-rates: "x" is not a rate in requests a second: write 4, or 4..16 for a ramp`},
		{[]string{"-rates=0"}, "rate=0: the phases ask for no arrival: lengthen them, or raise the rate"},
		{[]string{"-rates=60", "-burstiness=-1"}, "rate=60: a burstiness of -1 is not between 0.01 and 1e+08: 1 is Poisson, inf is even"},
		{[]string{"-in-flight-max=0"}, "-in-flight-max is 0: name 1 or more requests"},
		{[]string{"-rates=60", "-schedule=none.txt"}, "-rates and -schedule are both given: name one of them"},
	} {
		c := runChild(t, arriving(tt.args...)...)
		assert.Equal(t, 1, c.status())
		assert.Equal(t, "vllmbench: "+tt.want+"\n", c.stderr.String())
	}
}

// TestQueueOnTheWire has a server of one slot before which a queue forms. Each
// request waits for all before it, by Lindley's recursion from the instants at which
// they were due. A service is what requests take that find nobody before them, with
// what a busy machine adds, and most of it is a sleep of the server's. The server
// counts the queue from the end of the step during which a request came.
func TestQueueOnTheWire(t *testing.T) {
	t.Parallel()
	url := simulate(t, vllmsim.Config{MaxNumSeqs: 1, NoAsyncScheduling: true, Timing: vllmsim.Timing{Step: 5 * time.Millisecond}})
	c, rows, reqs := arrived(t, "-url="+url, "-rates=10", "-output=4", "-test.benchtime=130x", "-quantiles=50")
	require.Zero(t, c.status(), c.all())
	rs := reqs[0]
	service := alone(rs)
	var want, got, n float64
	free := rs[0].Intended
	for _, r := range rs {
		free = max(free, r.Intended) + service
		if w := rows[0].Window; w.From <= r.Intended && r.Intended < w.To {
			want += (free - r.Intended).Seconds()
			got += r.E2E().Seconds()
			n++
		}
	}
	t.Logf("service %v, load %.2f: mean E2E %.2f ms, by Lindley's recursion %.2f ms", service, 10*service.Seconds(), 1e3*got/n, 1e3*want/n)
	assert.Greater(t, want/n, 1.2*service.Seconds(), "a queue formed")
	assert.InEpsilon(t, want/n, got/n, 0.2, "what a busy machine adds differs from service to service")
	queue, ok := rows[0].Value("engine-queue-ns")
	require.True(t, ok)
	assert.Greater(t, queue/1e9, 0.5*(want/n-service.Seconds()), "the server's own queue time")
}

// alone is the mean E2E of the requests that were due when those before had ended.
func alone(rs []client.Result) time.Duration {
	var sum, n, last time.Duration
	for _, r := range rs {
		if r.Intended > last {
			sum, n = sum+r.E2E(), n+1
		}
		last = max(last, r.End)
	}
	return sum / max(n, 1)
}
