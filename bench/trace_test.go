package bench

import (
	"cmp"
	"flag"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"vllmbench/client"
	"vllmbench/internal/measure"
	"vllmbench/internal/prompt"
	"vllmbench/internal/trace"
)

// replay is what the flags of BenchmarkTrace say, and the trace that they name.
var replay struct {
	file, format string
	options      trace.Options

	all  *trace.Trace // nil if the benchmark does not run
	fits *trace.Trace // what of it the server's context holds; nil until the benchmark runs
}

func init() {
	r := &replay
	flag.StringVar(&r.file, "replay", "testdata/traces/mooncake.jsonl", "the `FILE` (from the repository's root), plain or gzip, whose instants and lengths BenchmarkTrace replays")
	flag.StringVar(&r.format, "replay-format", "auto", "of -replay: auto, mooncake, azure or burstgpt")
	flag.IntVar(&r.options.Block, "replay-block", 512, "`tokens` in each block that a mooncake file has a hash of")
	flag.Float64Var(&r.options.TimeScale, "time-scale", 1, "stretches the time between the arrivals of -replay: 2 is half the rate")
	flag.IntVar(&r.options.Limit, "replay-limit", 0, "the most `requests` of -replay, from the first one on (0: all)")
	flag.DurationVar(&r.options.From, "replay-from", 0, "skips what came earlier than so long after the first line of -replay")
	e := &extra{
		name: "Trace", flags: []string{"replay", "replay-format", "replay-block", "time-scale", "replay-limit", "replay-from"}, open: true,
		cells: func() []measure.Cell { return []measure.Cell{traceCell(r.all)} },
		says: func() []string {
			return []string{fmt.Sprintf("trace: %s, format %s, time scale %g; latency counts from when a request was due; at most %d in flight",
				r.file, r.all.Format, r.options.TimeScale, flags.inFlightMax)}
		},
	}
	e.check = func() error {
		if err := spareTrace(); err != nil || !e.chosen() {
			return err
		}
		return checkTrace()
	}
	extras = append(extras, e)
}

// BenchmarkTrace replays a recorded load: each request at its instant, with its
// lengths, and where the trace has the hashes of blocks, with prompts that
// begin alike as those did. One operation is the whole trace.
func BenchmarkTrace(b *testing.B) {
	s := asked(b)
	t, err := s.tracePart()
	if err != nil {
		b.Fatal(err)
	}
	c := traceCell(t)
	_, name, _ := strings.Cut(c.Name, "/")
	b.Run(name, func(b *testing.B) {
		var p pace
		for _, q := range t.Requests {
			p.due = append(p.due, q.At)
		}
		warm := func() error {
			_, err := s.pilot(c, 1, max(flags.warmup, 1), s.next(c))
			return err
		}
		s.run(b, c, warm, func(run *measure.Run, k *ledger) (err error) {
			run.Prefix = s.bound(t)
			for err == nil && b.Loop() {
				if run.Ops == 0 {
					err = s.openWindow(p, 0, s.replay(c, t))(run, k)
				}
			}
			return err
		})
		b.ReportMetric(0, "ns/op") // it would be the window's length
	})
}

func checkTrace() (err error) {
	r := &replay
	switch {
	case r.options.TimeScale == 0:
		return fmt.Errorf("-time-scale is 0: 1 is as recorded, 2 is half the rate")
	case r.options.Block < 1:
		return fmt.Errorf("-replay-block is %d: name 1 or more tokens", r.options.Block)
	}
	if r.options.Format, err = trace.ParseFormat(r.format); err != nil {
		return fmt.Errorf("-replay-format: %w", err)
	}
	if r.all, err = trace.ReadFile(fromRoot(r.file), r.options); err != nil {
		return fmt.Errorf("-replay: %w", err)
	}
	return nil
}

// spareTrace keeps go test's own -trace, which writes a trace of this process,
// from overwriting the trace of somebody who meant -replay.
func spareTrace() error {
	name := flag.Lookup("test.trace").Value.String()
	if name == "" {
		return nil
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(flag.Lookup("test.outputdir").Value.String(), name)
	}
	format, err := trace.FormatOf(name)
	if err != nil {
		return nil // no such file, or one that go test may overwrite
	}
	return fmt.Errorf("-trace is go test's own and would overwrite %s, which has the format %s: the flag that replays it is -replay", name, format)
}

// tracePart is what of the trace fits into the server's context, of which it tells before the first run.
func (s *session) tracePart() (t *trace.Trace, err error) {
	r := &replay
	if r.fits != nil {
		return r.fits, nil
	}
	t = r.all
	if context := s.info.MaxModelLen; context > 0 && t.Longest() > context {
		fitting := r.options
		fitting.MaxTokens = context
		if t, err = trace.ReadFile(fromRoot(r.file), fitting); err != nil {
			return nil, fmt.Errorf("-replay: %w (the server's context holds %d tokens)", err, context)
		}
	}
	r.fits = t
	for _, line := range t.Stats().Lines() {
		fmt.Printf("# trace: %s\n", line)
	}
	if left := t.LeftOut.String(); left != "" {
		fmt.Printf("# trace: left out: %s\n", left)
	}
	return t, nil
}

// traceCell has the trace's mean rate and lengths.
func traceCell(t *trace.Trace) measure.Cell {
	stats, n := t.Stats(), float64(len(t.Requests))
	base := strings.TrimSuffix(filepath.Base(replay.file), ".gz")
	return measure.Cell{
		Experiment: "trace", Name: "Trace/file=" + strings.TrimSuffix(base, filepath.Ext(base)),
		Rate:         n / cmp.Or(t.Requests[len(t.Requests)-1].At, time.Second).Seconds(),
		PromptTokens: int(stats.Prompt.Mean + 0.5), OutputTokens: int(stats.Output.Mean + 0.5),
	}
}

// wordBytes is the most that a token is in blocks of text: a word of ten letters and its space.
const wordBytes = 11

// replay makes the trace's requests, one after another. No round shares anything with another.
func (s *session) replay(c measure.Cell, t *trace.Trace) func() client.Request {
	set, i := s.prompts.Set(), 0
	var before prompt.Seen
	return func() client.Request {
		q := t.Requests[min(i, len(t.Requests)-1)] // the loop asks for one more than it sends
		i++
		c.PromptTokens, c.OutputTokens = q.Prompt, q.Output
		if q.Blocks == nil {
			return s.request(c)
		}
		c.PromptTokens = 1
		r, p := s.request(c), set.Blocks(q.Blocks, t.Block, q.Prompt)
		r.IDs, r.Text, r.PromptTokens = p.IDs, p.Text, p.Tokens
		if r.Seen = before.Add(q.Blocks, t.Block, q.Prompt); p.IDs == nil {
			r.Seen *= wordBytes // no tokenizer makes more tokens than bytes
		}
		return r
	}
}

// bound says what of a trace's shared blocks the server can find again, at most.
// Nil: the trace shares nothing. Without a word of its blocks, any length can be found.
func (s *session) bound(t *trace.Trace) *measure.Prefix {
	if t.Block == 0 {
		return nil
	}
	block, err := strconv.Atoi(s.info.CacheConfig["block_size"])
	if err != nil || block < 1 {
		block = 1
	}
	return &measure.Prefix{Block: block, Off: s.info.CacheConfig["enable_prefix_caching"] == "False", Bound: true}
}
