package bench

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"vllmbench/client"
	"vllmbench/internal/measure"
)

// cells runs those cells as sub-benchmarks that the server can hold.
func (s *session) cells(b *testing.B, cells []measure.Cell) {
	fit := slices.DeleteFunc(cells, s.skip)
	if len(fit) == 0 {
		b.SkipNow() // a benchmark without a sub-benchmark has a line, here one of nothing
	}
	for _, c := range fit {
		_, name, _ := strings.Cut(c.Name, "/")
		b.Run(name, func(b *testing.B) { s.cell(b, c) })
	}
}

// holds says whether c fits into the server's context.
func (s *session) holds(c measure.Cell) bool {
	return s.info.MaxModelLen == 0 || c.PromptTokens+c.OutputTokens <= s.info.MaxModelLen
}

// skip says whether c does not fit into the server's context, or no prompt into c, and says so to the user, once.
func (s *session) skip(c measure.Cell) bool {
	why := s.tongue.tooShort(c)
	if why == "" && s.holds(c) {
		return false
	}
	if why == "" {
		why = fmt.Sprintf("it needs %d tokens, the server's context holds %d", c.PromptTokens+c.OutputTokens, s.info.MaxModelLen)
	}
	if !slices.Contains(s.skipped, c.Name) {
		s.skipped = append(s.skipped, c.Name)
		fmt.Printf("# skipped %s: %s\n", c.Name, why)
	}
	return true
}

// cell measures one cell under a closed loop of new prompts: warm-up; then, under
// one unbroken load, a ramp, the timed window and a tail.
func (s *session) cell(b *testing.B, c measure.Cell) {
	s.run(b, c, func() error { return s.warm(c, s.next(c)) }, s.closedWindow(c, s.next(c), b.Loop))
}

// A window sends a load, times a part of it and puts both into run.
type window func(run *measure.Run, k *ledger) error

// run measures one cell and reports it. warm sends what is not measured,
// then send the load, before and after which the ledger is read, when
// nothing of ours is in flight.
func (s *session) run(b *testing.B, c measure.Cell, warm func() error, send window) {
	if s.gone != nil {
		s.failed++
		b.Fatalf("not run: %v", s.gone)
	}
	s.line.Begin(c.Name)
	s.page.Begin(c.Name)
	run, err := s.measure(c, warm, send)
	if err != nil && s.gone == nil {
		s.gone = s.alive()
	}
	if run != nil {
		s.report(b, run, err)
		return
	}
	s.failed++
	s.line.End(err.Error())
	s.page.Void(c.Name)
	if s.gone != nil {
		b.Fatalf("%v (%v)", err, s.gone)
	}
	b.Fatal(err)
}

// measure runs the load. It returns a run if requests were sent; an error
// then says why that is void, beside what its requests say themselves.
func (s *session) measure(c measure.Cell, warm func() error, send window) (*measure.Run, error) {
	s.fit(c)
	s.mix = flags.models.mix(s.seed())
	if err := warm(); err != nil {
		return nil, fmt.Errorf("warm-up: %w", err)
	}
	ledger, err := s.openLedger()
	if err != nil {
		return nil, err
	}
	run := &measure.Run{
		Cell: c, Stamps: s.client.Stamps(), Procs: runtime.GOMAXPROCS(0),
		Quantiles: flags.quantiles, Limits: flags.limits, SLO: flags.slo, RequireLedger: flags.requireLedger, Reopens: s.closes,
	}
	stop := s.heartbeat()
	err = send(run, ledger)
	run.Lateness = stop()
	if err != nil { // the failed requests are in the run
		s.gone = s.alive()
		return run, s.gone
	}
	return run, ledger.balance(run)
}

// begin begins a timed window; end says which it was.
func (s *session) begin(run *measure.Run) (end func(from, to time.Duration)) {
	go s.gpu.Mark() // a read takes milliseconds, which are not the window's
	opened, cpu := s.client.Opened(), client.CPUTime()
	s.line.Window()
	return func(from, to time.Duration) {
		s.line.Drain()
		run.Opened, run.CPU = s.client.Opened()-opened, client.CPUTime()-cpu
		run.Window = measure.Window{From: from, To: to}
		s.observe(run)
	}
}

// warm sends the cell's requests unmeasured, which opens every stream's
// connection, and learns whether events carry more than one token.
func (s *session) warm(c measure.Cell, next func() client.Request) error {
	warmup := flags.warmup
	if s.stop != nil && !given("warmup") {
		warmup = 0 // the embedded server has nothing to warm up, and its user waits
	}
	if warmup == 0 {
		return nil
	}
	_, err := s.pilot(c, c.Batch, c.Batch*warmup, next)
	return err
}

// pilot sends n requests unmeasured, batch of them at a time.
func (s *session) pilot(c measure.Cell, batch, n int, next func() client.Request) ([]client.Result, error) {
	l := s.closed(batch, n, next).Start(s.ctx)
	_, err := l.Await(n - flags.limits.MaxErrors())
	rs := slices.Concat(l.Stop()...)
	if err != nil || !s.extensions || s.continuous[c.Name] || !several(rs) {
		return rs, err
	}
	s.continuous[c.Name] = true
	return s.pilot(c, batch, n, next) // the load is another one now
}

// several says whether events of rs carry more than one token each. One in a
// hundred may, and of few a handful: a vLLM that falls behind sends two tokens in one event.
func several(rs []client.Result) bool {
	tokens, events := 0, 0
	for _, r := range rs {
		tokens += r.OutputTokens
		events += len(r.Events)
	}
	return 2*tokens >= 3*events || tokens-events > max(5, events/100)
}

// generate sends a request, and counts it for the status line.
func (s *session) generate(ctx context.Context, r client.Request) client.Result {
	s.line.Sent()
	s.page.Sent()
	r.Model = cmp.Or(r.Model, s.mix.next())
	res := s.client.Generate(ctx, r)
	s.line.Ended(res.OutputTokens, res.TTFT())
	s.page.Ended(&res)
	return res
}

// heartbeat notes the client's own lag where the kernel does not tell it.
func (s *session) heartbeat() (stop func() []time.Duration) {
	if s.client.Stamps() == client.KernelStamps {
		return func() []time.Duration { return nil }
	}
	return client.Heartbeat()
}
