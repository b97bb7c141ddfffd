package ab

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fakeEnv names the folder of a test whose program is this binary itself.
const fakeEnv = "VLLMBENCH_AB_FAKE"

// TestMain lets the test binary be the benchmarks that it runs.
func TestMain(m *testing.M) {
	if dir := os.Getenv(fakeEnv); dir != "" {
		os.Exit(fakeBenchmarks(dir, os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// A behaviour is how the program acts in one call; the zero value is well.
type behaviour struct {
	Void, Dead, Usage, Nothing, Garbled bool   // fails, with or without a server after it; or says nothing
	Hang                                string // tells this URL, and waits for an interrupt
	Model, Settings                     string
	Slower                              float64 // share
}

// A call is what the program was called with.
type call struct {
	Args []string
	Dir  string
	Key  string
}

// fakeBenchmarks notes its call in dir and does what the test planned for it.
func fakeBenchmarks(dir string, args []string, stdout, stderr io.Writer) int {
	calls, _ := filepath.Glob(filepath.Join(dir, "call-*"))
	n := len(calls) + 1
	wd, _ := os.Getwd()
	text, _ := json.Marshal(call{args, wd, os.Getenv("VLLM_API_KEY")})
	if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("call-%02d", n)), text, 0o666); err != nil {
		panic(err)
	}
	b := behaviour{Model: "tiny", Settings: "max-num-seqs=8"}
	if text, err := os.ReadFile(filepath.Join(dir, "plan-"+strconv.Itoa(n))); err == nil {
		if err := json.Unmarshal(text, &b); err != nil {
			panic(err)
		}
	}
	if b.Usage {
		fmt.Fprintln(stderr, "vllmbench: flag provided but not defined: -nope (-help lists all flags)")
		return 2
	}
	if b.Nothing {
		return 0
	}
	fmt.Fprintf(stdout, "server: vllm\nmodel: %s\nworkload: completions\nUnit tok/s better=higher\nUnit p50-itl-ns better=lower\n", b.Model)
	fmt.Fprintf(stdout, "# server settings: %s\n# stamps: kernel\ngoos: linux\npkg: vllmbench/bench\n", b.Settings)
	if b.Hang != "" {
		interrupted := make(chan os.Signal, 1)
		signal.Notify(interrupted, os.Interrupt)
		if _, err := http.Get(b.Hang); err != nil {
			panic(err)
		}
		<-interrupted
		_ = os.WriteFile(filepath.Join(dir, "interrupted"), nil, 0o666)
		return 1
	}
	if b.Garbled {
		fmt.Fprintln(stdout, "BenchmarkLatency-2 \tx ns/op")
		return 0
	}
	for i, name := range []string{"Latency", "Throughput/batch=4"} {
		speed := 100 * float64(i+1) / (1 + b.Slower)
		if b.Void && i == 1 {
			fmt.Fprintf(stdout, "Benchmark%s-2 \t--- FAIL: Benchmark%[1]s-2\n    cell_test.go:55: void: 1 failed (stream_error): EOF\n", name)
			return 1
		}
		fmt.Fprintf(stdout, "Benchmark%s-2 \t       3\t %.0f ns/op\t %.3f tok/s\t %.0f p50-itl-ns\n", name, 1e9/speed, speed, 1e7/speed)
	}
	fmt.Fprintln(stdout, "PASS\n# left out: p99-ttft-ns in every row, for its figure: 3 samples")
	return 0
}

// A bed is what a test runs on: a program that follows a plan, and a server that answers.
type bed struct {
	t        *testing.T
	dir      string // of the plan and the calls
	url      string
	progress strings.Builder
}

func newBed(t *testing.T) *bed {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(s.Close)
	b := &bed{t: t, dir: t.TempDir(), url: s.URL}
	t.Setenv(fakeEnv, b.dir)
	t.Setenv("GORACE", "atexit_sleep_ms=0") // a program with the race detector would end a second late
	return b
}

// plan says how the program acts in its nth call.
func (b *bed) plan(n int, how behaviour) {
	if how.Model == "" {
		how.Model = "tiny"
	}
	text, err := json.Marshal(how)
	require.NoError(b.t, err)
	require.NoError(b.t, os.WriteFile(filepath.Join(b.dir, "plan-"+strconv.Itoa(n)), text, 0o666))
}

// config measures two paths of the one server in 2 blocks.
func (b *bed) config() Config {
	return Config{
		A: Side{URL: b.url + "/a"}, B: Side{URL: b.url + "/b"}, Dir: filepath.Join(b.dir, "out", "ab"), Blocks: 2,
		Program: Program{Path: os.Args[0], Dir: b.dir}, Progress: &b.progress,
	}
}

// calls are those of the program, in order.
func (b *bed) calls() (out []call) {
	b.t.Helper()
	paths, err := filepath.Glob(filepath.Join(b.dir, "call-*"))
	require.NoError(b.t, err)
	for _, path := range paths {
		var c call
		require.NoError(b.t, json.Unmarshal([]byte(b.read(path)), &c))
		out = append(out, c)
	}
	return out
}

// sides says which side each call was for, as in "ABBA".
func (b *bed) sides() (out string) {
	for _, c := range b.calls() {
		for _, arg := range c.Args {
			if side, ok := strings.CutPrefix(arg, "-url="+b.url+"/"); ok {
				out += strings.ToUpper(side)
			}
		}
	}
	return out
}

func (b *bed) read(path string) string {
	b.t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(b.t, err)
	return string(text)
}

// files asserts what the folder of the results holds.
func (b *bed) files(want ...string) {
	b.t.Helper()
	var got []string
	entries, err := os.ReadDir(b.config().Dir)
	require.NoError(b.t, err)
	for _, e := range entries {
		got = append(got, e.Name())
	}
	assert.ElementsMatch(b.t, want, got)
}
