package k6

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/client"
	"vllmbench/internal/results"
	"vllmbench/internal/vllmsim"
)

var update = flag.Bool("update", false, "write golden files anew")

// TestSummary: every metric is there, with its tags, and counts are exact. Times are left out of the golden file.
func TestSummary(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "summary.json")
	printed, code := k6(t, nil, "--summary-export", path, script(t, `
vllmbench.server({url: '`+simulate(t, vllmsim.Config{})+`', slo: 'e2e:1h'});
export const options = {
  scenarios: {
    plain: {executor: 'per-vu-iterations', vus: 2, iterations: 3},
    tagged: {executor: 'per-vu-iterations', vus: 1, iterations: 1, tags: {cell: 'mine'}},
  },
  thresholds: {'vllm_output_tokens{cell:plain}': [], 'vllm_prompt_tokens{cell:mine}': [], 'vllm_ttft{cell:own}': [],
    'vllm_void{model:Qwen/Qwen2.5-7B,outcome:ok}': ['rate==0']},
  summaryTrendStats: ['count'],
};
export default function () {
  const a = vllmbench.generate({prompt: 20, output: 5});
  if (!(a.ttft > 0 && a.itl >= 0 && a.e2e >= a.ttft && a.tokens === 5 && a.promptTokens === 20 && a.outcome === 'ok' && a.error === '' && !a.voided && a.met && a.late === 0)) {
    throw new Error('not as asked: ' + JSON.stringify(a));
  }
  vllmbench.generate({prompt: 10, output: 3, cell: 'own'});
}
`))
	require.Zero(t, code, printed)
	assert.Empty(t, said(printed, "level=error"))
	kept := map[string]map[string]any{}
	for name, values := range summary(t, path) {
		if strings.HasPrefix(name, "vllm_") {
			delete(values, "rate") // of a counter: a second
			delete(values, "thresholds")
			kept[name] = values
		}
	}
	got, err := json.MarshalIndent(kept, "", "  ")
	require.NoError(t, err)
	const golden = "testdata/summary.json"
	if *update {
		require.NoError(t, os.WriteFile(golden, append(got, '\n'), 0o666))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.JSONEq(t, string(want), string(got))
}

// TestClosedLoop: the record of one process is a run like any other, its ledger balanced.
func TestClosedLoop(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	printed, code := k6(t, []string{"VLLM_BASE_URL=" + simulate(t, vllmsim.Config{})},
		"--out", "vllmbench="+dir, "-e", "VUS=2", "-e", "DURATION=1s", "-e", "OUTPUT=5", "scripts/closed.js")
	require.Zero(t, code, printed)
	run, requests := record(t, filepath.Join(dir, "instance-1"))
	assert.True(t, run.Complete, run.Warnings)
	require.Len(t, run.Rows, 1)
	row := run.Rows[0].Measured
	assert.Empty(t, row.Void)
	assert.Equal(t, "Throughput/batch=2", row.Name)
	assert.Equal(t, "throughput", row.Experiment)
	assert.Equal(t, []int{2, 200, 5}, []int{row.Batch, row.PromptTokens, row.OutputTokens})
	for _, a := range row.Ledger {
		assert.True(t, a.Known, a.Name)
		assert.True(t, a.Balances(), a)
	}
	assert.Greater(t, row.Window.Length(), 500*time.Millisecond)
	n, ok := row.Value("in-flight")
	assert.True(t, ok)
	assert.InDelta(t, 2, n, 0.2)

	i := run.Header.Instance
	require.NotNil(t, i)
	assert.Equal(t, "instance-1", i.Name)
	assert.Empty(t, i.Segment)
	assert.Equal(t, []int{3, 1}, []int{i.Asked[0].PromptTokens, i.Asked[0].OutputTokens}, "it took one token after three ids")
	server := i.After.Snapshot().Since(i.Before.Snapshot())
	assert.EqualValues(t, len(requests[0])+1, server.Requests.N)
	assert.EqualValues(t, 200*len(requests[0])+3, server.PromptTokens.N)
}

// TestArrivals: what an arrival-rate executor wanted is what requests count from, at a constant rate and over a ramp.
func TestArrivals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		script, duration, name string
		requests               int
		rate                   float64
	}{
		{"scripts/arrivals.js", "1s", "Arrivals/rate=30", 30, 30},
		{"scripts/ramp.js", "500ms", "Arrivals/cell=ramp", 30, 20},
	} {
		t.Run(c.script, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			printed, code := k6(t, nil, "--out", "vllmbench="+dir, "-e", "URL="+simulate(t, vllmsim.Config{}), "-e", "RATE=30", "-e", "VUS=20", "-e", "DURATION="+c.duration,
				"-e", "OUTPUT=2", "-e", "SLO=e2e:1h", c.script)
			require.Zero(t, code, printed)
			run, requests := record(t, filepath.Join(dir, "instance-1"))
			row := run.Rows[0].Measured
			assert.Equal(t, c.name, row.Name)
			assert.InEpsilon(t, c.rate, row.Rate, 1e-9)
			assert.Empty(t, row.Void)
			assert.InDelta(t, c.requests, len(requests[0]), 1)
			var least time.Duration = time.Hour
			for _, r := range requests[0] {
				assert.True(t, r.Scheduled)
				assert.GreaterOrEqual(t, r.Sent, r.Intended, "nothing is sent before it is due")
				least = min(least, r.Sent-r.Intended)
			}
			assert.Less(t, least, 10*time.Millisecond, "at its best, k6 is on time by our account of its schedule")
		})
	}
}

// TestSegmentsSplitTheRate: of two instances each sends its half, at times that
// together are those of one, and the server's ledger balances for the sum.
func TestSegmentsSplitTheRate(t *testing.T) {
	t.Parallel()
	url, dir := simulate(t, vllmsim.Config{}), t.TempDir()
	var all sync.WaitGroup
	for _, segment := range []string{"0:1/2", "1/2:1"} {
		all.Go(func() {
			printed, code := k6(t, nil, "--execution-segment", segment, "--execution-segment-sequence", "0,1/2,1", "--out", "vllmbench="+dir,
				"-e", "URL="+url, "-e", "RATE=40", "-e", "VUS=20", "-e", "DURATION=1s", "-e", "OUTPUT=2", "-e", "SLO=e2e:1h", "scripts/arrivals.js")
			assert.Zero(t, code, printed)
		})
	}
	all.Wait()
	var first, last *results.Reading
	var sent, prompts, outputs int
	var asked []results.Asked
	for n, name := range []string{"instance-1", "instance-2"} {
		run, requests := record(t, filepath.Join(dir, name))
		row := run.Rows[0].Measured
		assert.Equal(t, "Arrivals/rate=40", row.Name, "as the other's: it is one cell")
		assert.InEpsilon(t, 20, row.Rate, 1e-9)
		assert.Empty(t, row.Void)
		assert.Equal(t, []string{"0:1/2", "1/2:1"}[n], run.Header.Instance.Segment)
		assert.InDelta(t, 20, len(requests[0]), 1)
		for _, r := range requests[0] {
			sent, prompts, outputs = sent+1, prompts+r.PromptTokens, outputs+r.OutputTokens
		}
		i := run.Header.Instance
		if first == nil || i.Before.At.Before(first.At) {
			first = i.Before
		}
		if last == nil || i.After.At.After(last.At) {
			last = i.After
		}
		asked = append(asked, i.Asked...)
	}
	for _, a := range asked { // none is before the first reading
		sent, prompts, outputs = sent+1, prompts+a.PromptTokens, outputs+a.OutputTokens
	}
	server := last.Snapshot().Since(first.Snapshot())
	assert.EqualValues(t, []int{sent, prompts, outputs}, []int{int(server.Requests.N), int(server.PromptTokens.N), int(server.GenerationTokens.N)})
}

// TestDropped: an arrival that no VU was free for voids the row, and those after it still count from when they were due.
func TestDropped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	printed, code := k6(t, nil, "--out", "vllmbench="+dir, "-e", "URL="+simulate(t, vllmsim.Config{}), "-e", "RATE=10", "-e", "VUS=1", "-e", "DURATION=2s", "-e", "OUTPUT=20",
		"-e", "SLO=e2e:1h", "scripts/arrivals.js")
	require.Equal(t, 99, code, "a threshold is crossed: "+printed)
	run, requests := record(t, filepath.Join(dir, "instance-1"))
	assert.True(t, run.Complete, "it ran to its end")
	dropped := 0
	for _, r := range requests[0] {
		if r.Outcome == client.Dropped {
			dropped++
		} else {
			assert.Less(t, r.Sent-r.Intended, 500*time.Millisecond, "the drops before the last one add up to more")
		}
	}
	assert.Greater(t, dropped, 5)
	require.Len(t, run.Rows[0].Measured.Void, 1)
	assert.Contains(t, run.Rows[0].Measured.Void[0], "failed (dropped): no VU was free when it was due")
	assert.Len(t, said(printed, "Arrivals/rate=10 is void: "), 1)
}

// TestText: a server is sent texts through the chat endpoint, about as long as asked.
func TestText(t *testing.T) {
	t.Parallel()
	printed, code := k6(t, nil, script(t, `
vllmbench.server({url: '`+simulate(t, vllmsim.Config{})+`', endpoint: 'chat', prompts: '../testdata/prompts', priority: 'off'});
export const options = {iterations: 1};
export function setup() { return vllmbench.info() }
export default function (info) {
  if (!(info.kind === 'vllmsim' && info.exact && info.maxModelLen > 0 && info.runs === 'ordinary priority (priority: off)')) throw new Error(JSON.stringify(info));
  const a = vllmbench.generate({prompt: 100, output: 5});
  if (!(a.outcome === 'ok' && a.tokens === 5 && a.promptTokens > 5)) throw new Error(JSON.stringify(a));
}
`))
	require.Zero(t, code, printed)
	assert.Empty(t, said(printed, "level=error"))
}
