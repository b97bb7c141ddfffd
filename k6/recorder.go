package k6

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.k6.io/k6/errext"
	"go.k6.io/k6/errext/exitcodes"
	"go.k6.io/k6/lib"
	"go.k6.io/k6/metrics"
	"go.k6.io/k6/output"

	"vllmbench/client"
	"vllmbench/internal/engine"
	"vllmbench/internal/results"
)

const (
	recordEnv   = "VLLMBENCH_RECORD"   // the folder, if --out vllmbench names none
	instanceEnv = "VLLMBENCH_INSTANCE" // the instance's name; else it is by its segment

	settling = 2 * time.Second // how long the server's counters may take to follow its streams' ends
)

// A recorder is the output vllmbench: it saves what this process sent and what the
// server counted before and after, as one instance of a run, and counts the iterations
// that k6 dropped. Without a folder it only counts.
type recorder struct {
	*process
	params   output.Params
	folder   string // "": nothing is saved
	instance results.Instance
	whole    bool // there is no other instance
	tuple    *lib.ExecutionTuple
	target   *target
	before   *engine.Snapshot // behind what was asked to find the server; nil: the server has no counters
	writer   *results.Writer
	beat     func() []time.Duration // ends the heartbeat; nil under kernel stamps

	mu    sync.Mutex
	cells []*cell // in the order of their first requests
}

var _ output.WithStopWithTestError = (*recorder)(nil)

// output is called by k6 for --out vllmbench=DIR.
func (p *process) output(params output.Params) (output.Output, error) {
	r := &recorder{process: p, params: params, folder: cmp.Or(params.ConfigArgument, os.Getenv(recordEnv))}
	options := params.ScriptOptions
	var err error
	if r.tuple, err = lib.NewExecutionTuple(options.ExecutionSegment, options.ExecutionSegmentSequence); err != nil {
		return nil, err
	}
	r.whole = options.ExecutionSegment == nil || options.ExecutionSegment.FloatLength() == 1
	if !r.whole {
		r.instance.Segment = options.ExecutionSegment.String()
	}
	if r.instance.Name, err = instanceName(r.instance.Segment, os.Getenv(instanceEnv)); err != nil {
		return nil, err
	}
	if r.folder != "" {
		r.folder = filepath.Join(r.folder, r.instance.Name)
	}
	return r, nil
}

// Description is what k6 shows.
func (r *recorder) Description() string {
	if r.folder == "" {
		return "vllmbench (nothing is saved: --out vllmbench=DIR does)"
	}
	return fmt.Sprintf("vllmbench (%s)", r.folder)
}

// Start finds the server and begins the record, before k6 makes its VUs.
func (r *recorder) Start() (err error) {
	ctx := context.Background() // every question has a limit of its own
	if r.target, err = r.find(ctx); err != nil {
		return err
	}
	if r.folder != "" {
		if err := r.begin(ctx); err != nil {
			return err
		}
	}
	r.recorder.Store(r)
	return nil
}

func (r *recorder) begin(ctx context.Context) (err error) {
	r.instance.Asked = r.target.asked
	if r.target.info.Counters {
		if r.before, err = r.target.engine.Snapshot(ctx, r.target.Model); err != nil {
			return err
		}
		r.instance.Before = results.ReadingOf(r.target.before)
	}
	header, err := r.target.header(&r.instance)
	if err != nil {
		return err
	}
	if r.writer, err = results.Create(r.folder, header); err != nil {
		return err
	}
	if r.target.client.Stamps() != client.KernelStamps {
		r.beat = client.Heartbeat()
	}
	return nil
}

// AddMetricSamples counts the iterations that k6 dropped.
func (r *recorder) AddMetricSamples(containers []metrics.SampleContainer) {
	for _, c := range containers {
		for _, s := range c.GetSamples() {
			if s.Metric.Name != metrics.DroppedIterationsName {
				continue
			}
			if scenario, ok := s.Tags.Get("scenario"); ok {
				r.drops(scenario).Add(int64(s.Value))
				r.drop(scenario, s.Time, int(s.Value))
			}
		}
	}
}

// Stop is not called, since there is StopWithTestError.
func (r *recorder) Stop() error { return r.StopWithTestError(nil) }

// StopWithTestError saves a row for each cell. A run that k6 broke off is kept as one that did not end well;
// one that crossed a threshold has run to its end, and its record is whole.
func (r *recorder) StopWithTestError(broken error) error {
	if r.writer == nil {
		return nil
	}
	var coded errext.HasExitCode
	if errors.As(broken, &coded) && coded.ExitCode() == exitcodes.ThresholdsHaveFailed {
		broken = nil
	}
	delta, err := r.settle()
	err = errors.Join(err, r.rows(delta))
	return errors.Join(err, r.writer.Close(err == nil && broken == nil))
}

// settle saves what the server has counted once it has counted all that ended
// well and has nothing in flight, of others that share the load either.
func (r *recorder) settle() (engine.Delta, error) {
	if r.before == nil {
		return engine.Delta{}, nil
	}
	var requests, tokens float64
	for _, c := range r.cells {
		for _, res := range c.all() {
			if res.Outcome == client.OK {
				requests++
				tokens += float64(res.OutputTokens)
			}
		}
	}
	reached := func(v engine.Value, n float64) bool { return !v.Known || v.N >= n }
	reads := engine.Series{r.before}
	_, err := r.target.engine.Settled(context.Background(), r.target.Model, func(now *engine.Snapshot) bool {
		reads = append(reads, now)
		d := now.Since(r.before)
		return d.Reset || reached(d.Requests, requests) && reached(d.GenerationTokens, tokens) && now.InFlight().N == 0
	}, settling)
	if err != nil {
		return engine.Delta{}, fmt.Errorf("ledger: %w", err)
	}
	return reads.Delta(), r.writer.After(*results.ReadingOf(reads[len(reads)-1]))
}

// rows saves the cells. The ledger is balanced here if the server's counts are
// all of one cell of this process; else by whoever joins the records.
func (r *recorder) rows(delta engine.Delta) error {
	var late []time.Duration
	if r.beat != nil {
		late = r.beat()
	}
	for _, c := range r.cells {
		run := c.run(r.tuple, r.target.client.Stamps())
		run.Lateness, run.SLO = late, r.target.objective
		if r.whole && len(r.cells) == 1 {
			run.Server = delta
		}
		row := run.Row()
		if err := r.writer.Row(row, c.all()); err != nil {
			return err
		}
		for _, why := range row.Void {
			r.params.Logger.Warnf("%s is void: %s", row.Name, why)
		}
		for _, l := range row.LeftOut {
			r.params.Logger.Debugf("%s: %s left out: %s", row.Name, l.Metric, l.Reason)
		}
	}
	return nil
}
