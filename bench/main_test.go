package bench

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
)

// current is the session that TestMain opened for the benchmarks.
var current *session

// ready returns the session. A benchmark that runs without TestMain's
// session is a mistake of this package.
func ready(b *testing.B) *session {
	b.Helper()
	if current == nil {
		b.Fatal("no session: TestMain opens one when -bench is set")
	}
	return current
}

func TestMain(m *testing.M) {
	embeddedMain() // does not return if this process is the embedded server
	parse()
	switch {
	case flags.explain:
		flags.limits.Explain(os.Stdout, flags.quantiles)
	case flag.Lookup("test.bench").Value.String() == "" || flag.Lookup("test.list").Value.String() != "":
		os.Exit(tests(m))
	default:
		os.Exit(run(m))
	}
}

// run is m.Run within a session. Nothing may be printed while it lasts, since
// go test would put it into the middle of a benchmark's line.
func run(m *testing.M) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := openSession(ctx)
	if err != nil {
		fmt.Fprintf(os.Stderr, "vllmbench: %v\n", err)
		return 1
	}
	s.header(os.Stdout)
	current = s
	onlyBenchmarks()
	s.showProgress()
	code := rounds(m, s)
	if err := s.empty(); err != nil {
		fmt.Fprintf(os.Stderr, "vllmbench: %v\n", err)
		code = 1
	}
	if err := s.profile(os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "vllmbench: %v\n", err)
		code = 1
	}
	if err := s.close(code == 0); err != nil {
		fmt.Fprintf(os.Stderr, "vllmbench: %v\n", err)
		code = 1
	}
	s.footer(os.Stdout)
	return code
}

// onlyBenchmarks leaves the tests of this package out unless -run asks for
// them: who runs benchmarks should not wait for these, nor should a server.
func onlyBenchmarks() {
	if !given("test.run") {
		_ = flag.Set("test.run", "^$") // a valid pattern
	}
}

// rounds runs all benchmarks -count times over. Go would repeat each one on
// the spot, so that a machine that grows slower in the course of a run would
// tell apart two equal servers with ten repetitions each as proof; in rounds,
// that drift is in the spread of every benchmark.
func rounds(m *testing.M, s *session) (code int) {
	count := flag.Lookup("test.count").Value
	n := count.(flag.Getter).Get().(uint)
	if err := count.Set("1"); err != nil {
		panic(err) // a number is valid
	}
	for s.round = range n {
		if code = max(code, m.Run()); s.gone != nil {
			break
		}
	}
	return code
}
