package compare

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRefuse(t *testing.T) {
	const workload = "completions, token-id prompts, exact output length, prompt=200/output=100 unless named"
	base := map[string]string{"server": "vllm", "model": "m", "gpu": "NVIDIA H200", "workload": workload, "# stamps": "kernel; client"}
	run := func(change ...string) string {
		var b strings.Builder
		for _, key := range []string{"server", "model", "gpu", "workload", "# stamps"} {
			value := base[key]
			if len(change) == 2 && change[0] == key {
				value = change[1]
			}
			if value != "" {
				b.WriteString(key + ": " + value + "\n")
			}
		}
		return b.String() + lines("Latency", 6, 100.0, "tok/s")
	}
	for _, c := range []struct{ name, key, value, kind, says string }{
		{"model", "model", "n", "model", "the runs differ in model name (m and n)"},
		{"gpu", "gpu", "NVIDIA H100", "gpu", "the runs differ in gpu device (NVIDIA H200 and NVIDIA H100)"},
		{"simulated", "server", "vllmsim", "server", "one run is of a simulated server and the other is not"},
		{"endpoint", "workload", strings.Replace(workload, "completions", "chat", 1), "workload", "the runs differ in workload endpoint (completions and chat)"},
		{"lengths", "workload", strings.Replace(workload, "output=100", "output=50", 1), "lengths", "Latency has requests of 200+100 tokens in one run and of 200+50 in the other (prompt+output)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			old, new := text(t, "old", run()), text(t, "new", run(c.key, c.value))
			_, err := Compare(old, new, Config{})
			var refused *Incomparable
			require.ErrorAs(t, err, &refused)
			require.ErrorContains(t, err, c.says)
			assert.Contains(t, refused.Reasons[0], "-allow "+c.kind)
			for _, allow := range [][]string{{c.kind, "workload"}, Kinds()} {
				r, err := Compare(old, new, Config{Allow: allow})
				require.NoError(t, err)
				assert.Contains(t, strings.Join(r.Warnings, "\n"), c.says)
				assert.Contains(t, r.Allowed, c.kind)
			}
		})
	}
	for _, c := range []struct{ name, key, value, says string }{
		{"stamps", "# stamps", "user; client", "the stamps are not of one source (kernel and user)"},
		{"gpu unknown", "gpu", "", "only one of the runs tells its gpu device (NVIDIA H200)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := Compare(text(t, "old", run()), text(t, "new", run(c.key, c.value)), Config{})
			require.NoError(t, err)
			assert.Contains(t, strings.Join(r.Warnings, "\n"), c.says)
		})
	}
}

func TestAnotherCard(t *testing.T) {
	card := func(uuid string) string {
		return head + "# gpu 0: NVIDIA H200, card " + uuid + ", limit 700 W\n" + lines("Latency", 6, 100.0, "tok/s")
	}
	r, err := Compare(text(t, "old", card("GPU-1")), text(t, "new", card("GPU-2")), Config{})
	require.NoError(t, err)
	assert.Contains(t, strings.Join(r.Warnings, "\n"), "the GPUs are two cards of one kind (GPU-1 and GPU-2)")
	r, err = Compare(text(t, "old", card("GPU-1")), text(t, "new", card("GPU-1")), Config{})
	require.NoError(t, err)
	assert.Empty(t, r.Warnings)
}

func TestBadInput(t *testing.T) {
	old, new := load(t, "baseline"), load(t, "week3")
	for says, c := range map[string]Config{
		"p99-ttft-ns is in neither run (left out of Latency: ": {Gates: gates(t, "p99-ttft-ns:5%")},
		"tokens/s is in neither run: name one of tok/s, ":      {Gates: gates(t, "tokens/s:5%")},
		"weather is in neither run":                            {Metrics: []string{"weather"}},
		"no gate can be on in-flight: neither more nor less":   {Gates: gates(t, "in-flight:5%")},
		`filter "x": `: {Filter: "x"},
		`the old run has no row that passes the filter ".name:Nothing": give a wider one`: {Filter: ".name:Nothing"},
		`the new run has no row that passes the filter "side:old": `:                      {Filter: "side:old"},
		`-gate-on "all" is none: each, geomean and both are`:                              {GateOn: "all"},
		`-alpha 1.5 is none: give a probability such as 0.05`:                             {Alpha: 1.5},
		`-allow colour is none: model, gpu, server, workload, lengths are`:                {Allow: []string{"colour"}},
	} {
		_, err := Compare(old, new, c)
		require.ErrorContains(t, err, says)
	}
}

func TestGateOn(t *testing.T) {
	for on, want := range map[string][2]int{OnBoth: {7, 3}, OnEach: {6, 2}, OnGeomean: {1, 1}} {
		r, err := Compare(load(t, "baseline"), load(t, "week3"), Config{Gates: gates(t, "tok/s:3%"), GateOn: on, Filter: ".name:(Latency OR Throughput)"})
		require.NoError(t, err)
		assert.Equal(t, want, [2]int{r.Comparisons, r.Verdicts[Fail]}, on)
	}
}

// TestFilterOnUnits: a filter that keeps one metric hides no void row.
func TestFilterOnUnits(t *testing.T) {
	old, new := odd(t)
	r, err := Compare(old, new, Config{Filter: ".unit:tok/s"})
	require.NoError(t, err)
	require.Len(t, r.Metrics, 1)
	assert.Len(t, r.New.Void, 2)
}

// TestForeign compares benchmarks that are not of this module.
func TestForeign(t *testing.T) {
	old := text(t, "old", lines("Decode/size=1k", 8, 100.0, "ns/op", 512.0, "B/op", 5.0, "widgets"))
	new := text(t, "new", "Unit widgets better=higher\n"+lines("Decode/size=1k", 8, 90.0, "ns/op", 512.0, "B/op", 4.0, "widgets"))
	r, err := Compare(old, new, Config{Gates: gates(t, "ns/op:5%,B/op:1%,widgets:10%")})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"Decode/size=1k": Pass}, verdicts(r, "ns/op"))
	assert.Equal(t, map[string]string{"Decode/size=1k": Pass}, verdicts(r, "B/op"))
	assert.Equal(t, map[string]string{"Decode/size=1k": Fail}, verdicts(r, "widgets"))
	r, err = Compare(old, new, Config{})
	require.NoError(t, err)
	assert.Len(t, r.Metrics, 3)
	assert.Zero(t, r.Exit())
}

func TestParseGates(t *testing.T) {
	got, err := ParseGates("tok/s:3%, p99-ttft-ns:0.5 %,x:y:0%")
	require.NoError(t, err)
	assert.Equal(t, []Gate{{"tok/s", 0.03}, {"p99-ttft-ns", 0.005}, {"x:y", 0}}, got)
	for _, bad := range []string{"", "tok/s", "tok/s:3", "tok/s:-3%", ":3%", "tok/s:100%", "tok/s:NaN%", "a:1%,", "a:b%"} {
		_, err := ParseGates(bad)
		assert.ErrorContains(t, err, "is none: write a metric and by how many percent", bad)
	}
	_, err = ParseGates("a:1%,a:2%")
	assert.EqualError(t, err, "there are two gates on a: name one")
}

func FuzzParseGates(f *testing.F) {
	f.Add("tok/s:3%,p99-ttft-ns:5%")
	f.Add(":%,\x00:1e-9%")
	f.Fuzz(func(t *testing.T, text string) {
		gates, err := ParseGates(text)
		for _, g := range gates {
			require.NotEmpty(t, g.Metric)
			require.True(t, g.Limit >= 0 && g.Limit < 1)
		}
		require.Equal(t, err == nil, len(gates) > 0)
	})
}

func TestNumbers(t *testing.T) {
	for x, want := range map[float64]string{
		0: "0", 1: "1.00", 0.0123456: "0.0123", 9.999: "10.0", 99.96: "100", 999.6: "1" + thin + "000", 4787: "4" + thin + "790",
		1234567: "1" + thin + "230" + thin + "000", -1603.8: "-1" + thin + "600", 206.6: "207",
	} {
		assert.Equal(t, want, sig(x), "%v", x)
	}
	assert.Equal(t, "-0.40", signed(-0.4))
	assert.Equal(t, "0.00", signed(-0.001))
	assert.Equal(t, "+1"+thin+"140", signed(1142))
	for metric, want := range map[string][2]string{
		"tok/s": {"slower", "faster"}, "p50-ttft-ns": {"faster", "slower"}, "ns/op": {"faster", "slower"}, "cpu-ns/tok": {"faster", "slower"}, "J/tok": {"less", "more"}, "gpu-idle-%": {"less", "more"},
	} {
		table := Table{Metric: metric}
		assert.Equal(t, want, [2]string{table.direction(-1), table.direction(1)}, metric)
	}
	for metric, want := range map[string]scale{"p50-ttft-ns": {"ms", 1e6}, "gpu-mem-B": {"MB", 1e6}, "tok/s": {"tok/s", 1}, "in-flight": {"", 1}, "cpu-ns/tok": {"ms/tok", 1e6}, "merged-%": {"%", 1}} {
		table := Table{Metric: metric, Lines: []Line{{Old: &Level{Median: 12e6}, New: &Level{Median: 1600e6}}, {}}}
		assert.Equal(t, want, table.scaleOf(), metric)
	}
}
