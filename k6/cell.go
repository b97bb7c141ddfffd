package k6

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"time"

	"go.k6.io/k6/lib"
	"go.k6.io/k6/lib/executor"

	"vllmbench/client"
	"vllmbench/internal/measure"
	"vllmbench/k6/schedule"
)

// A cell is the requests of one name in one scenario.
type cell struct {
	label    string
	scenario string
	config   lib.ExecutorConfig
	streams  map[uint64][]client.Result // by VU
	dropped  []client.Result
	prompt   int // tokens asked, of all requests
	output   int
	cpu      []moment
}

// A moment is the process's CPU time at one of the client's times.
type moment struct{ at, cpu time.Duration }

// add keeps a result, if there is a record.
func (r *recorder) add(label string, scenario *lib.ScenarioState, vu uint64, asked Asked, res client.Result) {
	if r == nil || r.writer == nil {
		return
	}
	cpu := client.CPUTime()
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.cell(label, scenario.Name)
	c.streams[vu] = append(c.streams[vu], res)
	c.prompt += asked.Prompt
	c.output += asked.Output
	c.cpu = append(c.cpu, moment{res.End, cpu})
}

// drop keeps what was due and never sent, as requests of the scenario's first cell.
func (r *recorder) drop(scenario string, at time.Time, n int) {
	if r.writer == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	label := scenario
	if i := slices.IndexFunc(r.cells, func(c *cell) bool { return c.scenario == scenario }); i >= 0 {
		label = r.cells[i].label
	}
	c := r.cell(label, scenario)
	due := at.Sub(r.target.client.Epoch())
	for range n {
		c.dropped = append(c.dropped, client.Result{
			Intended: due, Scheduled: true, End: due, Outcome: client.Dropped, Error: "no VU was free when it was due: raise preAllocatedVUs and maxVUs",
		})
	}
}

// cell returns the cell of that name. r.mu is held.
func (r *recorder) cell(label, scenario string) *cell {
	i := slices.IndexFunc(r.cells, func(c *cell) bool { return c.label == label && c.scenario == scenario })
	if i >= 0 {
		return r.cells[i]
	}
	c := &cell{label: label, scenario: scenario, config: r.params.ScriptOptions.Scenarios[scenario], streams: map[uint64][]client.Result{}}
	r.cells = append(r.cells, c)
	return c
}

// all is every request of the cell, VU by VU, then those that were dropped.
func (c *cell) all() (all []client.Result) {
	for _, vu := range slices.Sorted(maps.Keys(c.streams)) {
		all = append(all, c.streams[vu]...)
	}
	return append(all, c.dropped...)
}

// run is what measure needs of the cell.
func (c *cell) run(tuple *lib.ExecutionTuple, stamps client.Stamps) *measure.Run {
	run := &measure.Run{Stamps: stamps, Procs: runtime.GOMAXPROCS(0)}
	for _, vu := range slices.Sorted(maps.Keys(c.streams)) {
		run.Streams = append(run.Streams, c.streams[vu])
	}
	if len(c.dropped) > 0 {
		run.Streams = append(run.Streams, c.dropped)
	}
	sent := 0
	for _, rs := range c.streams {
		sent += len(rs)
	}
	run.PromptTokens = int(math.Round(float64(c.prompt) / float64(max(sent, 1))))
	run.OutputTokens = int(math.Round(float64(c.output) / float64(max(sent, 1))))

	// Of an executor without a schedule, requests belong to a closed loop.
	s, err := schedule.Of(c.config, tuple)
	if err == nil && s != nil {
		c.open(run, s, tuple.Segment.FloatLength())
	} else {
		c.closed(run)
	}
	run.Opened = opened(run)
	run.CPU = c.used(run.Window)
	return run
}

// open names an open loop's cell as BenchmarkArrivals does, by the rate of all instances together.
func (c *cell) open(run *measure.Run, s *schedule.Schedule, share float64) {
	run.Varies = s.Varies()
	run.Cell.Experiment = "arrivals"
	run.Cell.Rate = s.Rate() * share
	run.Name = "Arrivals/cell=" + c.label
	if c.label == c.scenario && !s.Varies() {
		run.Name = fmt.Sprintf("Arrivals/rate=%.4g", s.Rate())
	}
	run.Window = openWindow(c.all(), s)
	for _, res := range c.all() {
		if run.Window.From <= res.Intended && res.Intended < run.Window.To {
			run.Ops++
		}
	}
}

// closed names a closed loop's cell as BenchmarkThroughput does, by the streams of all instances together.
func (c *cell) closed(run *measure.Run) {
	run.Cell.Experiment = "throughput"
	run.Cell.Batch = len(c.streams)
	run.Name = "Throughput/cell=" + c.label
	vus, constant := c.config.(executor.ConstantVUsConfig)
	if constant && c.label == c.scenario {
		run.Name = fmt.Sprintf("Throughput/batch=%d", vus.VUs.Int64)
	}
	run.Window = closedWindow(run.Streams, constant)
	ended := 0
	for _, res := range c.all() {
		if run.Window.From < res.End && res.End <= run.Window.To {
			ended++
		}
	}
	run.Ops = ended / max(run.Batch, 1)
}

// opened is how many connections were opened inside the window.
func opened(run *measure.Run) (n int) {
	for _, rs := range run.Streams {
		for _, res := range rs {
			if res.Sent > run.Window.From && res.Sent <= run.Window.To && res.Attempts > 0 && !res.Reused {
				n++
			}
		}
	}
	return n
}

// used is the CPU time of this process, VUs' scripts included, between the
// requests' ends that are nearest to the window's.
func (c *cell) used(w measure.Window) time.Duration {
	slices.SortFunc(c.cpu, func(a, b moment) int { return cmp.Compare(a.at, b.at) })
	near := func(at time.Duration) time.Duration {
		i, _ := slices.BinarySearchFunc(c.cpu, at, func(m moment, at time.Duration) int { return cmp.Compare(m.at, at) })
		if len(c.cpu) == 0 {
			return 0
		}
		return c.cpu[min(i, len(c.cpu)-1)].cpu
	}
	return max(0, near(w.To)-near(w.From))
}
