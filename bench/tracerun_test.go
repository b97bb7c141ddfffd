package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/measure"
	"vllmbench/internal/vllmsim"
)

// replaying are arguments that replay a file of such lines.
func replaying(t *testing.T, file string, more ...string) []string {
	path := filepath.Join(t.TempDir(), "load.csv")
	require.NoError(t, os.WriteFile(path, []byte(file), 0o666))
	return append([]string{"-test.bench=Trace", "-replay=" + path}, more...)
}

// azure is a trace of 40 requests in 2 s, one too long for any server, and one that failed.
func azure() string {
	var b strings.Builder
	b.WriteString("TIMESTAMP,ContextTokens,GeneratedTokens\n")
	at := time.Date(2024, 5, 10, 0, 0, 0, 0, time.UTC)
	line := func(prompt, output string) {
		b.WriteString(at.Format("2006-01-02 15:04:05.000000-07:00") + "," + prompt + "," + output + "\n")
	}
	for i := range 40 {
		at = at.Add(50 * time.Millisecond)
		line([]string{"10", "300", "17"}[i%3], []string{"3", "8"}[i%2])
	}
	line("9999999", "1")
	line("10", "0")
	return b.String()
}

// TestTrace replays instants and lengths, each as the file has it.
func TestTrace(t *testing.T) {
	t.Parallel()
	c, rows, reqs := arrived(t, replaying(t, azure(), "-time-scale=0.5", "-test.count=2")...)
	assert.Zero(t, c.status(), c.all())
	assert.Equal(t, []string{"Trace/file=load", "Trace/file=load"}, c.cells())
	require.Len(t, rows, 2)
	for i, row := range rows {
		assert.Empty(t, row.Void)
		for _, a := range row.Ledger {
			assert.True(t, a.Known && a.Balances(), "%+v", a)
		}
		assert.Equal(t, 40, row.Requests)
		assert.InDelta(t, 40/0.975, row.Rate, 1e-9)
		require.Len(t, reqs[i], 40)
		for k, r := range reqs[i] {
			assert.Equal(t, []int{10, 300, 17}[k%3], r.PromptTokens)
			assert.Equal(t, []int{3, 8}[k%2], r.OutputTokens)
			assert.InDelta(t, time.Duration(k)*25*time.Millisecond, r.Intended-reqs[i][0].Intended, 1e3)
		}
	}
	said := c.comments("trace: ")
	require.Len(t, said, 7, "once, whatever -count is")
	assert.Regexp(t, `^.*load\.csv, format azure, time scale 0\.5; latency counts from when a request was due; at most 1024 in flight$`, said[0])
	assert.Equal(t, "requests: 40 in 975ms, 40.0 req/s", said[1])
	assert.Equal(t, "left out: 1 longer than the context, 1 without an output", said[6])
	before, _, found := strings.Cut(c.stdout.String(), "\nBenchmarkTrace")
	require.True(t, found)
	assert.Contains(t, before, "# trace: left out")
}

// mooncake is a trace of 20 prompts of 130 tokens in blocks of 32, of which every other
// one begins with the same three blocks.
func mooncake() string {
	var b strings.Builder
	for i := range 20 {
		fmt.Fprintf(&b, `{"timestamp": %d, "input_length": 130, "output_length": 3, "hash_ids": [%d, 2, 3, %d, 9]}`+"\n", 40*i, i%2, 100+i)
	}
	return b.String()
}

// TestTraceOfBlocks holds what the prefix cache found against what the trace's
// blocks have in common, whether the server keeps all of it or cannot.
func TestTraceOfBlocks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name            string
		server          vllmsim.Config
		expected, found float64 // tokens
	}{
		{"kept", vllmsim.Config{}, 18 * 96, 18 * 96},
		{"other blocks", vllmsim.Config{BlockSize: 64}, 18 * 64, 18 * 64},
		{"off", vllmsim.Config{NoPrefixCaching: true}, 0, 0},
		{"evicted", vllmsim.Config{NumGPUBlocksOverride: 10, MaxModelLen: 140}, 18 * 96, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, rows, _ := arrived(t, replaying(t, mooncake(), "-replay-block=32", "-test.count=2", "-url="+simulate(t, tt.server))...)
			assert.Zero(t, c.status(), c.all())
			require.Len(t, rows, 2)
			for _, row := range rows {
				i := slices.IndexFunc(row.Ledger, func(a measure.Account) bool { return a.Name == "prefix cache hits" })
				hits := row.Ledger[i]
				assert.Empty(t, row.Void)
				assert.Equal(t, tt.expected, hits.Ours)
				if tt.name == "evicted" { // requests that are in flight together share what is in use
					assert.Less(t, hits.Server, tt.expected/3)
				} else {
					assert.Equal(t, tt.found, hits.Server)
				}
				expected, ok := row.Value("prefix-expected-%")
				assert.True(t, ok)
				assert.InDelta(t, 100*tt.expected/(20*130), expected, 1e-9)
			}
		})
	}
}

func TestTraceLimit(t *testing.T) {
	t.Parallel()
	c, rows, reqs := arrived(t, replaying(t, azure(), "-replay-limit=4", "-replay-from=100ms", "-replay-format=azure")...)
	assert.Zero(t, c.status(), c.all())
	require.Len(t, rows, 1)
	require.Len(t, reqs[0], 4)
	assert.Equal(t, 17, reqs[0][0].PromptTokens, "the third")
}

func TestTraceRefused(t *testing.T) {
	t.Parallel()
	const sample = "testdata/traces/azure2023.csv"
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"-replay=none.csv"}, "-replay: opening the trace: open ../none.csv: "},
		{[]string{"-replay=" + sample, "-replay-format=csv"}, `-replay-format: "csv" is no trace format: name auto, mooncake, azure or burstgpt`},
		{[]string{"-replay=" + sample, "-replay-format=mooncake"}, "-replay: reading the trace ../" + sample + `: line 1: "TIMESTAMP`},
		{[]string{"-time-scale=0"}, "-time-scale is 0: 1 is as recorded, 2 is half the rate"},
		{[]string{"-replay-block=0"}, "-replay-block is 0: name 1 or more tokens"},
		{[]string{"-replay-limit=-1"}, "-replay: reading the trace "},
		{[]string{"-test.bench=.", "-test.trace=../" + sample}, "-trace is go test's own and would overwrite "},
	} {
		c := runChild(t, append([]string{"-test.bench=Trace"}, tt.args...)...)
		assert.Equal(t, 1, c.status())
		assert.Contains(t, c.stderr.String(), "vllmbench: "+tt.want)
	}
	text, err := os.ReadFile("../" + sample)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(text), "TIMESTAMP,"), "nothing was overwritten")
}
