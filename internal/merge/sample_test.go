package merge

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"vllmbench/client"
	"vllmbench/internal/engine"
	"vllmbench/internal/measure"
	"vllmbench/internal/results"
	"vllmbench/internal/slo"
)

// epoch is the merged clock's: that of the first instance.
var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const (
	rate           = 100.0 // arrivals a second of the whole load
	arrivals       = 2400
	prompt, output = 20, 5 // tokens
)

// window is that of every instance's row unless a test has another, on the merged clock.
var window = measure.Window{From: 3 * time.Second, To: 22 * time.Second}

// A sent is one instance and what it sent. Tests change what they are about.
type sent struct {
	segment  string
	requests []client.Result // on the merged clock
	header   results.Header
	cell     measure.Cell
	window   measure.Window
	epoch    time.Duration // its clock's, after the merged one's
	cpu      time.Duration
	change   func(*measure.Row) // after it was measured
	extra    *sent              // a second cell, of which only requests, cell and window count
	killed   bool               // before it saved anything
}

// A world is instances and the server that they share.
type world struct {
	sent    []*sent
	foreign int // requests of others, while the instances worked
	restart bool
	hidden  func(*engine.Snapshot) // what the server does not tell
}

// open is an open loop of n instances, which have every n-th arrival each.
func open(n int) *world {
	w := &world{}
	for k := range n {
		s := instanceOf(k, n)
		s.cell = measure.Cell{Experiment: "arrivals", Name: "Arrivals/rate=100", Rate: rate / float64(n), PromptTokens: prompt, OutputTokens: output}
		for i := k; i < arrivals; i += n {
			s.requests = append(s.requests, request(time.Second+time.Duration(float64(i)/rate*1e9), true, uint64(i)))
		}
		w.sent = append(w.sent, s)
	}
	return w
}

// closed is a closed loop of n instances with two streams each.
func closed(n int) *world {
	w := &world{}
	for k := range n {
		s := instanceOf(k, n)
		s.cell = measure.Cell{Experiment: "throughput", Name: fmt.Sprintf("Throughput/batch=%d", 2*n), Batch: 2, PromptTokens: prompt, OutputTokens: output}
		for stream := range 2 {
			for at, i := time.Second, 0; at < 24*time.Second; i++ {
				r := request(at, false, uint64(1000*(2*k+stream)+i))
				r.Reused = i > 0
				s.requests = append(s.requests, r)
				at = r.End + 100*time.Microsecond
			}
		}
		w.sent = append(w.sent, s)
	}
	return w
}

func instanceOf(k, n int) *sent {
	s := &sent{window: window, segment: fmt.Sprintf("%d/%d:%d/%d", k, n, k+1, n), cpu: time.Second}
	server, _ := json.Marshal(engine.Info{Kind: engine.VLLM, URL: "http://here:8000", Model: "tiny", Version: "0.32.0", Counters: true})
	s.header = results.Header{
		Nonce: fmt.Sprint("nonce ", k), Server: server, Stamps: "kernel", Flags: map[string]string{"endpoint": "completions"},
		Environment: results.Environment{OS: "linux", Arch: "amd64", CPU: "A CPU", Cores: 8, Kernel: "Linux 6.1", Go: "go1.26", Commit: "abc", Procs: 8, Boot: "b7"},
	}
	if n == 1 {
		s.segment = ""
	}
	s.header.Instance = &results.Instance{Name: fmt.Sprintf("instance-%d", k+1), Segment: s.segment, Asked: []results.Asked{{PromptTokens: 3, OutputTokens: 1}}}
	return s
}

// request is one whose times are drawn from a seed, so that no two are alike.
func request(at time.Duration, scheduled bool, seed uint64) client.Result {
	draw := rand.New(rand.NewPCG(seed, 7))
	random := func(most time.Duration) time.Duration { return time.Duration(draw.Int64N(int64(most))) }
	r := client.Result{
		Intended: at, Scheduled: scheduled, Sent: at + 1 + random(100*time.Microsecond), PromptTokens: prompt, OutputTokens: output,
		FinishReason: "length", Reused: true, Attempts: 1, Outcome: client.OK,
	}
	r.FirstByte = r.Sent + 10*time.Millisecond
	for t := r.FirstByte + random(90*time.Millisecond); len(r.Events) < output; t += 5*time.Millisecond + random(5*time.Millisecond) {
		r.Events = append(r.Events, client.Event{At: t, Lag: random(time.Millisecond), Tokens: 1})
	}
	r.End = r.Events[output-1].At + 50*time.Microsecond
	return r
}

// record saves what the instances of the world would, and opens it.
func (w *world) record(t *testing.T) (runs []*results.Run) {
	t.Helper()
	dir := t.TempDir()
	for k, s := range w.sent {
		path := filepath.Join(dir, s.header.Instance.Name)
		w.save(t, path, k)
		run, err := results.Open(path)
		require.NoError(t, err)
		t.Cleanup(func() { run.Close() })
		runs = append(runs, run)
	}
	return runs
}

func (w *world) save(t *testing.T, path string, k int) {
	t.Helper()
	s := w.sent[k]
	s.header.Epoch = epoch.Add(s.epoch)
	s.header.Started = s.header.Epoch
	first := w.reading(time.Duration(k)*time.Millisecond, k, 0, false)
	s.header.Instance.Before = first
	writer, err := results.Create(path, s.header)
	require.NoError(t, err)
	if s.killed {
		return
	}
	for _, c := range []*sent{s, s.extra} {
		if c != nil {
			require.NoError(t, writer.Row(s.measured(c), earlier(c.requests, s.epoch)))
		}
	}
	require.NoError(t, writer.After(*w.reading(time.Minute+time.Duration(k)*time.Millisecond, len(w.sent), w.foreign, w.restart)))
	require.NoError(t, writer.Close(true))
}

// measured is the row as the instance measures it, without the server's books.
func (s *sent) measured(c *sent) measure.Row {
	w := measure.Window{From: c.window.From - s.epoch, To: c.window.To - s.epoch}
	run := &measure.Run{Cell: c.cell, Window: w, Streams: (&part{requests: earlier(c.requests, s.epoch)}).streams(), Stamps: client.Stamps(s.header.Stamps), CPU: s.cpu, Procs: 8, Ops: 1}
	run.SLO, _ = slo.Parse("ttft:50ms")
	row := run.Row()
	if s.change != nil {
		s.change(&row)
	}
	return row
}

func earlier(all []client.Result, by time.Duration) (out []client.Result) {
	for _, r := range all {
		out = append(out, later(r, -by))
	}
	return out
}

// reading is what the server has counted after so long: what found it was asked by the first instances and, of a minute on, all requests.
func (w *world) reading(at time.Duration, asked, foreign int, restarted bool) *results.Reading {
	s := &engine.Snapshot{At: epoch.Add(at), Engines: 1, Started: 1000, Created: 1001, Running: known(0), Waiting: known(0)}
	ended, prompts, outputs := 500+asked+foreign, 500*prompt+3*asked+prompt*foreign, 500*output+asked+output*foreign
	for _, i := range w.sent {
		for _, c := range []*sent{i, i.extra} {
			if c != nil && at >= time.Minute {
				ended, prompts, outputs = ended+len(c.requests), prompts+prompt*len(c.requests), outputs+output*len(c.requests)
			}
		}
	}
	s.Finished = map[string]float64{"length": float64(ended), "stop": 0}
	s.Requests, s.PromptTokens, s.GenerationTokens = known(ended), known(prompts), known(outputs)
	s.PrefixQueries, s.PrefixHits, s.Preemptions = known(prompts), known(0), known(0)
	s.TTFT = engine.Hist{Sum: 0.01 * float64(ended), Count: float64(ended), Known: true}
	if restarted {
		s.Started, s.Created = 2000, 2001
	}
	if w.hidden != nil {
		w.hidden(s)
	}
	return results.ReadingOf(s)
}

func known(n int) engine.Value { return engine.Value{N: float64(n), Known: true} }

// merged is the world's merged run.
func (w *world) merged(t *testing.T, c Config) *Run {
	t.Helper()
	run, err := Records(w.record(t), c)
	require.NoError(t, err)
	return run
}

// all is every request of the world, in the order in which records have them.
func (w *world) all() (all []client.Result) {
	for _, s := range w.sent {
		all = append(all, s.requests...)
	}
	return all
}

// quantile is by nearest rank.
func quantile(q float64, all []time.Duration) float64 {
	slices.Sort(all)
	rank := int(q*float64(len(all))/100 + 0.999999999)
	return float64(all[rank-1])
}

func value(t *testing.T, row *measure.Row, metric string) float64 {
	t.Helper()
	v, ok := row.Value(metric)
	require.True(t, ok, "%s: left out: %+v", metric, row.LeftOut)
	return v
}
