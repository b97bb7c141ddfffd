package monitor

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/gpuprobe"
	"vllmbench/internal/engine"
)

var start = time.Date(2026, 11, 23, 16, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }

func has(n float64) engine.Value { return engine.Value{N: n, Known: true} }

func told(n float64) gpuprobe.Value { return gpuprobe.Value{N: n, Known: true} }

// snapshot is a server's page after some requests: 100 tokens each.
func snapshot(seconds, requests, batch float64) *engine.Snapshot {
	return &engine.Snapshot{
		At: at(seconds), Engines: 1, Running: has(batch), Waiting: has(2), KVUse: has(0.125),
		Counters: engine.Counters{
			Requests: has(requests), GenerationTokens: has(100 * requests), PromptTokens: has(50 * requests), Preemptions: has(0),
			PrefixQueries: has(50 * requests), PrefixHits: has(10 * requests),
			TTFT: engine.Hist{Sum: 0.02 * requests, Count: requests, Known: true},
			ITL:  engine.Hist{Sum: 0.008 * 99 * requests, Count: 99 * requests, Known: true},
		},
	}
}

// usage is a window of a GPU with a share of work.
func usage(from, to, share float64) *gpuprobe.Usage {
	u := &gpuprobe.Usage{From: at(from), To: at(to), Figures: gpuprobe.Figures{
		Busy: told(share), DRAM: told(0.8 * share), Power: told(100 + 500*share), Energy: told((100 + 500*share) * (to - from)),
		Memory: told(70e9), SMClock: told(1980e6), GapsKnown: true,
	}}
	if share == 0 {
		u.Gaps = []gpuprobe.Gap{{From: at(from), To: at(to)}}
	}
	return u
}

var oneGPUDevice = []gpuprobe.Device{{Index: 0, Name: "NVIDIA H200"}}

func newState() *State {
	return NewState(Subject{URL: "http://server:8000", GPUs: oneGPUDevice, Source: "this machine's", Interval: time.Second}, start)
}

func texts(es []event) (s []string) {
	for _, e := range es {
		s = append(s, e.text)
	}
	return s
}

func TestRates(t *testing.T) {
	s := newState()
	s.Add(Tick{At: at(0), Server: snapshot(0, 10, 4), GPU: usage(-1, 0, 1)})
	assert.False(t, s.offered[outTokens], "one snapshot gives no rate")
	s.Add(Tick{At: at(2), Server: snapshot(2, 16, 5), GPU: usage(0, 2, 0.5)})
	for q, want := range map[quantity]string{
		outTokens: "300", inTokens: "150", requests: "3.00", ttft: "20.0", itl: "8.00", prefixHits: "20.0",
		running: "5", waiting: "2", kvUse: "12.5", dram: "40.0", power: "350", memory: "70.0", smClock: "1980", preemptions: "0",
	} {
		assert.Equal(t, want, q.value(s.newest().cells[q]), columns[q].name)
	}
	for _, q := range []quantity{tensor, smActive, throttled, e2e} {
		assert.False(t, s.offered[q], "%s was never told", columns[q].name)
	}
	s.Add(Tick{At: at(3), Server: snapshot(3, 16, 5), GPU: usage(2, 3, 1)})
	assert.Equal(t, nothing, ttft.value(s.newest().cells[ttft]), "no first token in the interval")
	assert.Equal(t, "0", outTokens.value(s.newest().cells[outTokens]))
}

func TestMeansAreExact(t *testing.T) {
	s := newState()
	s.Add(Tick{At: at(0), Server: snapshot(0, 0, 1)})
	a, b := snapshot(1, 1, 1), snapshot(4, 4, 1)
	a.TTFT.Sum, b.TTFT.Sum = 0.1, 0.1+3*0.5
	s.Add(Tick{At: at(1), Server: a})
	s.Add(Tick{At: at(4), Server: b})
	assert.InDelta(t, 1.6/4, s.stats[ttft].mean(), 1e-12, "sum over count, not the mean of two means")
	assert.InDelta(t, 100, s.stats[outTokens].mean(), 1e-12)
	assert.InDelta(t, 0.1, s.stats[ttft].min, 1e-12)
	assert.InDelta(t, 0.5, s.stats[ttft].max, 1e-12)
}

func TestServerGoesAndComesBack(t *testing.T) {
	s := newState()
	refused := errors.New("no server answers at http://server:8000")
	s.Add(Tick{At: at(0), Server: snapshot(0, 10, 1)})
	s.Add(Tick{At: at(1), Server: snapshot(1, 11, 1)})
	s.Add(Tick{At: at(2), Err: refused})
	s.Add(Tick{At: at(3), Err: refused})
	assert.True(t, s.server.gone())
	assert.Equal(t, []string{"server gone: " + refused.Error()}, texts(s.events), "said once")
	assert.Equal(t, at(2), s.server.since)
	s.Add(Tick{At: at(12), Server: snapshot(12, 31, 1)})
	assert.False(t, s.server.gone())
	assert.Equal(t, "server back after 10 s", s.events[1].text)
	assert.False(t, s.newest().cells[outTokens].known, "a rate over the outage is of no interval shown")
	assert.Equal(t, 2100.0, s.totals.out.N, "but its tokens are counted")
}

func TestServerBeginsAnew(t *testing.T) {
	for _, c := range []struct {
		name  string
		after func(*engine.Snapshot)
	}{
		{"counters fell", func(s *engine.Snapshot) {}},
		{"another process", func(s *engine.Snapshot) { s.Started = 2 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newState()
			before, after := snapshot(0, 10, 1), snapshot(1, 3, 1)
			before.Started = 1
			c.after(after)
			s.Add(Tick{At: at(0), Server: before})
			s.Add(Tick{At: at(1), Server: after})
			require.Len(t, s.events, 1)
			assert.Contains(t, s.events[0].text, "its counters begin anew")
			assert.False(t, s.newest().cells[outTokens].known)
			assert.False(t, s.totals.out.Known)
			s.Add(Tick{At: at(2), Server: func() *engine.Snapshot { n := snapshot(2, 4, 1); n.Started = after.Started; return n }()})
			assert.Equal(t, "100", outTokens.value(s.newest().cells[outTokens]))
			assert.GreaterOrEqual(t, s.stats[outTokens].min, 0.0)
		})
	}
}

func TestSlowServerIsNotGone(t *testing.T) {
	s := newState()
	s.Add(Tick{At: at(0), Server: snapshot(0, 1, 1)})
	for i := range patience {
		assert.False(t, s.server.gone(), "after %d rounds", i)
		s.Add(Tick{At: at(float64(1 + i))})
	}
	assert.True(t, s.server.gone())
	assert.Equal(t, []string{"server gone: no answer to GET /metrics"}, texts(s.news))
}

func TestGaps(t *testing.T) {
	s := newState()
	var spoken []string
	shares := []float64{1, 1, 0, 0, 1, 1, 1, 0, 1, 1, 1}
	for i, share := range shares {
		u := usage(float64(i), float64(i+1), share)
		// As gpuprobe does, gaps look back over several reads.
		for k := max(0, i-3); k < i; k++ {
			if shares[k] == 0 {
				u.Gaps = append(u.Gaps, gpuprobe.Gap{From: at(float64(k)), To: at(float64(k + 1))})
			}
		}
		sortGaps(u.Gaps)
		batch := 0.0
		if i == 3 { // reads come at the end of a window: within the first gap, not the second
			batch = 6
		}
		s.Add(Tick{At: at(float64(i)), Server: snapshot(float64(i), 1, batch), GPU: u})
		assert.Equal(t, share == 0, s.newest().idle, "round %d", i)
		spoken = append(spoken, texts(s.news)...)
	}
	assert.Equal(t, []string{"GPU idle for 2.0 s, with 6 requests running", "GPU idle for 1.0 s"}, spoken, "each once, when it ended")
	n, total, longest := s.gpu.idle()
	assert.Equal(t, 2, n)
	assert.Equal(t, 3*time.Second, total)
	assert.Equal(t, 2*time.Second, longest)
	assert.Equal(t, "; with requests running 1, 2.0 s in all", s.gpu.idleAtWork())
}

func sortGaps(gaps []gpuprobe.Gap) {
	for i := range gaps {
		for k := i; k > 0 && gaps[k].From.Before(gaps[k-1].From); k-- {
			gaps[k], gaps[k-1] = gaps[k-1], gaps[k]
		}
	}
}

func TestThrottleAndSource(t *testing.T) {
	s := NewState(Subject{GPUs: oneGPUDevice, Interval: time.Second}, start)
	nvml := gpuprobe.State{Name: gpuprobe.StateNVML}
	slow := usage(0, 1, 1)
	slow.Throttle[gpuprobe.PowerCap], slow.Throttle[gpuprobe.HWThermal] = told(0.5), told(0.25)
	s.Add(Tick{At: at(1), GPU: slow, GPUs: nvml})
	s.Add(Tick{At: at(2), GPU: slow, GPUs: nvml})
	s.Add(Tick{At: at(3), GPUs: gpuprobe.State{Name: gpuprobe.StateLost, Reason: "GPU 0 answers no more"}})
	assert.Equal(t, []string{"GPU throttled: power cap, hardware thermal", "GPU source: GPU lost: GPU 0 answers no more"}, texts(s.events))
	assert.Equal(t, kindFault, s.events[1].kind)
	assert.Equal(t, "50.0", throttled.text(s.stats[throttled].max), "the longest of reasons that overlap")
}

func TestEventsAreBounded(t *testing.T) {
	s := newState()
	for i := range 3 * keptEvents {
		s.say(at(float64(i)), kindGPU, "event %d", i)
	}
	s.say(at(0), kindGPU, "event %d", 3*keptEvents-1)
	assert.Len(t, s.events, keptEvents)
	assert.Equal(t, 2, s.events[keptEvents-1].count)
	for i := range 2 * keptRows {
		s.Add(Tick{At: at(float64(i))})
	}
	assert.Len(t, s.rows, keptRows)
}

func TestCloneStands(t *testing.T) {
	s := newState()
	s.Add(Tick{At: at(0), Server: snapshot(0, 1, 1), GPU: usage(0, 1, 0)})
	c := s.clone()
	before := Screen(c, View{Width: 80, Height: 24})
	for i := range 2 * keptRows {
		s.Add(Tick{At: at(float64(i)), Err: errors.New("gone"), GPU: usage(float64(i), float64(i+1), 0)})
	}
	assert.Equal(t, before, Screen(c, View{Width: 80, Height: 24}))
}
