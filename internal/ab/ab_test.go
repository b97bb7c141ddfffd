package ab

import (
	"context"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden holds got, without its times of day and URLs, against a file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	for pattern, with := range map[string]string{`began \S+Z`: "began TIME", `, \d+ s\b`: ", N s", `about \d+ s`: "about N s"} {
		got = regexp.MustCompile(pattern).ReplaceAllString(got, with)
	}
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o666))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, name)
}

func TestRun(t *testing.T) {
	b := newBed(t)
	t.Setenv("VLLM_API_KEY", "sk-secret")
	for _, n := range []int{2, 3, 5, 8} { // those of B
		b.plan(n, behaviour{Slower: 0.25, Settings: "max-num-seqs=4"})
	}
	c := b.config()
	c.Args = []string{"-bench=Throughput", "--benchtime", "2x", "-batches=4"}
	c.Record = true
	o, err := Run(t.Context(), c)
	require.NoError(t, err)

	assert.Equal(t, "ABBABAAB", b.sides())
	records := 0
	for _, call := range b.calls() {
		assert.Equal(t, []string{"-test.run=^$", "-test.bench=.", "-test.count=1", "-test.timeout=0", "-test.bench=Throughput", "-test.benchtime", "2x", "-batches=4"}, call.Args[:8])
		assert.Equal(t, b.dir, call.Dir)
		assert.Equal(t, "sk-secret", call.Key)
		assert.NotContains(t, strings.Join(call.Args, " "), "secret")
		if dir, ok := strings.CutPrefix(call.Args[9], "-record="); ok && filepath.IsAbs(dir) {
			records++
		}
	}
	assert.Equal(t, 8, records)
	assert.Contains(t, b.calls()[7].Args[9], filepath.Join("out", "ab", "records", "b-4"))

	b.files("a.txt", "b.txt")
	golden(t, "a.txt", b.read(o.A))
	golden(t, "b.txt", b.read(o.B))
	golden(t, "progress", b.progress.String())
	var said strings.Builder
	require.NoError(t, o.Print(&said))
	golden(t, "outcome", strings.ReplaceAll(filepath.ToSlash(said.String()), filepath.ToSlash(b.dir)+"/", ""))
}

// TestOutcomeReplacesAnOlderOne runs twice, and under names.
func TestOutcomeReplacesAnOlderOne(t *testing.T) {
	b := newBed(t)
	c := b.config()
	c.Blocks, c.A.Name, c.B.Name = 1, "seqs-8", "seqs-4"
	_, err := Run(t.Context(), c)
	require.NoError(t, err)
	b.files("seqs-4.txt", "seqs-8.txt")
	for n := 5; n <= 8; n++ {
		b.plan(n, behaviour{Slower: 1})
	}
	o, err := Run(t.Context(), c)
	require.NoError(t, err)
	assert.Contains(t, b.read(o.A), "50.000 tok/s")
	assert.NotContains(t, b.read(o.A), "200.000 tok/s")
	b.files("seqs-4.txt", "seqs-8.txt")
}

// TestVoidLeg lets the third leg fail: its block begins again, once.
func TestVoidLeg(t *testing.T) {
	b := newBed(t)
	b.plan(3, behaviour{Void: true})
	o, err := Run(t.Context(), b.config())
	require.NoError(t, err)
	assert.Equal(t, "ABB"+"ABBABAAB", b.sides())
	assert.Contains(t, b.progress.String(), "leg 3 of 8, b: 1 of 2 benchmarks failed, the first Throughput/batch=4-2: void: 1 failed (stream_error): EOF; block 1 begins again, once\n")
	assert.Equal(t, 8, strings.Count(b.read(o.A), "\nBenchmark"), "two rows of four legs")
	assert.Equal(t, 8, strings.Count(b.read(o.B), "\nBenchmark"))
	assert.Equal(t, 1, strings.Count(b.read(o.B), "# leg 3 of 8, block 1, began"))
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		name  string
		plan  map[int]behaviour
		calls string
		want  string
		kept  []string
	}{
		{"void twice", map[int]behaviour{6: {Void: true}, 7: {Void: true}}, "ABBA" + "BA" + "B",
			"leg 5 of 8, b: 1 of 2 benchmarks failed, the first Throughput/batch=4-2: void: 1 failed (stream_error): EOF; kept: 4 of 8 legs in ", []string{"a.partial.txt", "b.partial.txt"}},
		{"bad usage", map[int]behaviour{1: {Usage: true}}, "A",
			"leg 1 of 8, a: the benchmarks failed: flag provided but not defined: -nope (-help lists all flags)", nil},
		{"no benchmark", map[int]behaviour{1: {Nothing: true}}, "A",
			"leg 1 of 8, a: no benchmark ran: name others with -bench after --", nil},
		{"no benchmark format", map[int]behaviour{2: {Garbled: true}}, "AB",
			"leg 2 of 8, b: line 10 of the benchmarks' output is no result (parsing iteration count: invalid syntax); kept: 1 of 8 legs in ", []string{"a.partial.txt"}},
		{"another model on b", map[int]behaviour{2: {Model: "other"}}, "AB",
			`a and b differ in their model, "tiny" and "other": compare like with like, or say -force; kept: 1 of 8 legs in `, []string{"a.partial.txt"}},
		{"another model later", map[int]behaviour{4: {Model: "other"}}, "ABBA",
			`leg 4 of 8 says of model: "other", and leg 1 said "tiny": something else answers there now; kept: 3 of 8 legs in `, []string{"a.partial.txt", "b.partial.txt"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBed(t)
			for n, how := range c.plan {
				b.plan(n, how)
			}
			old := filepath.Join(b.config().Dir, "a.txt")
			require.NoError(t, os.MkdirAll(b.config().Dir, 0o777))
			require.NoError(t, os.WriteFile(old, []byte("older"), 0o666))
			_, err := Run(t.Context(), b.config())
			require.ErrorContains(t, err, c.want)
			t.Log(err)
			assert.NotContains(t, err.Error(), "\n")
			assert.Equal(t, c.calls, b.sides())
			b.files(append(c.kept, "a.txt")...)
			assert.Equal(t, "older", b.read(old))
			for _, name := range c.kept {
				assert.Contains(t, err.Error(), name)
				assert.Contains(t, b.read(filepath.Join(b.config().Dir, name)), "\nBenchmarkThroughput/batch=4-2 ")
			}
		})
	}
}

func TestForce(t *testing.T) {
	b := newBed(t)
	for _, n := range []int{2, 3} {
		b.plan(n, behaviour{Model: "other"})
	}
	c := b.config()
	c.Force, c.Blocks = true, 1
	o, err := Run(t.Context(), c)
	require.NoError(t, err)
	assert.Equal(t, []string{"model"}, o.Ignore)
	var said strings.Builder
	require.NoError(t, o.Print(&said))
	assert.Contains(t, said.String(), "go tool benchstat -ignore=model ")
	assert.Contains(t, said.String(), "no interval from 1 block")
}

// TestServerDies closes the server of both sides before the second leg, which fails.
func TestServerDies(t *testing.T) {
	b := newBed(t)
	b.plan(2, behaviour{Void: true})
	s := httptest.NewServer(http.NotFoundHandler())
	c := b.config()
	c.B.URL = s.URL
	s.Close()
	_, err := Run(t.Context(), c)
	require.ErrorContains(t, err, "leg 2 of 8, b: 1 of 2 benchmarks failed, ")
	assert.ErrorContains(t, err, "; no server answers at "+s.URL+" any more (")
	assert.ErrorContains(t, err, "; kept: 1 of 8 legs in "+filepath.Join(c.Dir, "a.partial.txt"))
	assert.Len(t, b.calls(), 2, "a dead server is not asked again")
}

// TestInterrupt ends the run while the third leg is under way.
func TestInterrupt(t *testing.T) {
	b := newBed(t)
	ctx, cancel := context.WithCancel(t.Context())
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { cancel() }))
	t.Cleanup(hanging.Close)
	b.plan(3, behaviour{Hang: hanging.URL})
	c := b.config()
	_, err := Run(ctx, c)
	require.EqualError(t, err, "the run was interrupted; kept: 2 of 8 legs in "+filepath.Join(c.Dir, "a.partial.txt")+" "+filepath.Join(c.Dir, "b.partial.txt"))
	assert.Equal(t, "ABB", b.sides())
	b.files("a.partial.txt", "b.partial.txt")
	if runtime.GOOS != "windows" {
		assert.FileExists(t, filepath.Join(b.dir, "interrupted"), "the benchmarks could end in order")
	}

	// The next run takes away what this one left.
	c.Blocks = 1
	_, err = Run(t.Context(), c)
	require.NoError(t, err)
	b.files("a.txt", "b.txt")
}

func TestRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o666))
	held := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(held, "records", "a-1"), 0o777))
	good := Config{A: Side{URL: "http://h:1"}, B: Side{URL: "http://h:2"}, Dir: t.TempDir()}
	for _, c := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Dir = "" }, "no folder for the results is named"},
		{func(c *Config) { c.Dir = filepath.Join(file, "x") }, "making the folder for the results: "},
		{func(c *Config) { c.Dir, c.Record = held, true }, filepath.Join(held, "records") + " holds records of another run: remove it, or name another folder"},
		{func(c *Config) { c.Blocks = -1 }, "-1 blocks are too few: name 1 or more"},
		{func(c *Config) { c.SwitchTimeout = -1 }, "a switch timeout of -1ns is none"},
		{func(c *Config) { c.A.Name = "B" }, "both sides are named B: give them two names"},
		{func(c *Config) { c.A.Name = "../b" }, `"../b" is no name for a side`},
		{func(c *Config) { c.A.Switch = "true" }, "only one side has a switch command: give both"},
		{func(c *Config) { c.A.URL = "localhost:8000" }, `the URL of side a, "localhost:8000", is none: give it as http://host:port`},
		{func(c *Config) { c.B.URL = "http://h:1\n# x" }, `the URL of side b, "http://h:1\n# x", is none`},
		{func(c *Config) { c.Args = []string{"-api-key=x"} }, "-api-key is not for the benchmarks of an A/B run: give the key in VLLM_API_KEY"},
		{func(c *Config) { c.Args = []string{"--test.count", "3"} }, "-count is not for the benchmarks of an A/B run: name the number of blocks with -blocks"},
	} {
		bad := good
		c.change(&bad)
		_, err := Run(t.Context(), bad)
		assert.ErrorContains(t, err, c.want)
	}
}

func TestOrder(t *testing.T) {
	var sides string
	ends := [2]int{}
	for i, turn := range order(4) {
		assert.Equal(t, i+1, turn.leg)
		assert.Equal(t, i/4+1, turn.block)
		sides += "AB"[turn.side : turn.side+1]
		ends[turn.side] = turn.number
	}
	assert.Equal(t, "ABBABAABABBABAAB", sides)
	assert.Equal(t, [2]int{8, 8}, ends)
}
