package k6

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/client"
	"vllmbench/internal/merge"
	"vllmbench/internal/results"
	"vllmbench/internal/vllmsim"
)

// instances are n of k6, each with its segment of the script's load.
func instances(t *testing.T, n int, dir, url, script string, args ...string) (all []*exec.Cmd) {
	t.Helper()
	sequence := []string{"0"}
	for k := 1; k < n; k++ {
		sequence = append(sequence, fmt.Sprintf("%d/%d", k, n))
	}
	sequence = append(sequence, "1")
	for k := range n {
		segment := sequence[k] + ":" + sequence[k+1]
		args := append([]string{"--execution-segment", segment, "--execution-segment-sequence", strings.Join(sequence, ","), "--out", "vllmbench=" + dir, "-e", "URL=" + url}, args...)
		all = append(all, command(t, nil, append(args, script)...))
	}
	return all
}

// merged merges the records in dir.
func merged(t *testing.T, dir string, n int) *merge.Run {
	t.Helper()
	var runs []*results.Run
	for k := range n {
		run, err := results.Open(filepath.Join(dir, fmt.Sprintf("instance-%d", k+1)))
		require.NoError(t, err)
		defer run.Close()
		runs = append(runs, run)
	}
	run, err := merge.Records(runs, merge.Config{})
	require.NoError(t, err)
	return run
}

// TestMerge: what instances sent together is what the server counted, and the median is that of all raw requests.
func TestMerge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, script string
		instances    int
		args         []string
	}{
		{"Arrivals/rate=40", "scripts/arrivals.js", 2, []string{"-e", "RATE=40", "-e", "VUS=40", "-e", "DURATION=3s", "-e", "OUTPUT=2", "-e", "SLO=e2e:1h"}},
		{"Throughput/batch=4", "scripts/closed.js", 2, []string{"-e", "VUS=4", "-e", "DURATION=3s", "-e", "OUTPUT=5"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			var all sync.WaitGroup
			for _, one := range instances(t, c.instances, dir, simulate(t, vllmsim.Config{}), c.script, c.args...) {
				all.Go(func() {
					out, err := one.CombinedOutput()
					assert.NoError(t, err, string(out))
				})
			}
			all.Wait()
			run := merged(t, dir, c.instances)
			assert.Empty(t, run.Header.Merged.Lost)
			require.Len(t, run.Rows, 1)
			row := run.Rows[0].Measured
			assert.Empty(t, row.Void)
			assert.Equal(t, c.name, row.Name)

			var sent, prompts, outputs int
			var e2e []time.Duration
			for k := range c.instances {
				raw, requests := record(t, filepath.Join(dir, fmt.Sprintf("instance-%d", k+1)))
				shift := raw.Header.Epoch.Sub(run.Header.Epoch)
				for _, r := range requests[0] {
					sent, prompts, outputs = sent+1, prompts+r.PromptTokens, outputs+r.OutputTokens
					end, due := r.Events[len(r.Events)-1].At+shift, r.Intended+shift
					if r.Scheduled && row.Window.From <= due && due < row.Window.To || !r.Scheduled && row.Window.From < end && end <= row.Window.To {
						e2e = append(e2e, r.E2E())
					}
				}
			}
			assert.Len(t, run.Rows[0].Requests, sent)
			counted := map[string]float64{}
			for _, a := range row.Ledger {
				assert.True(t, a.Known && a.Balances(), "%+v", a)
				counted[a.Name] = a.Server
			}
			assert.Equal(t, [3]float64{float64(sent), float64(prompts), float64(outputs)}, [3]float64{counted["requests (length)"], counted["prompt tokens"], counted["generated tokens"]})
			require.NotEmpty(t, e2e)
			slices.Sort(e2e)
			if median, ok := row.Value("p50-e2e-ns"); ok { // a starved machine sends late
				assert.EqualValues(t, e2e[(len(e2e)+1)/2-1], median)
			}
		})
	}
}

// TestMergeNamesTheKilled: an instance that is killed in the midst of the load is
// named, and what it would have proven is left out.
func TestMergeNamesTheKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	two := instances(t, 2, dir, simulate(t, vllmsim.Config{}), "scripts/arrivals.js", "-e", "RATE=40", "-e", "VUS=40", "-e", "DURATION=3s", "-e", "OUTPUT=2", "-e", "SLO=e2e:1h")
	for _, one := range two {
		require.NoError(t, one.Start())
	}
	require.Eventually(t, func() bool {
		header, err := os.ReadFile(filepath.Join(dir, "instance-2", "run.jsonl"))
		return err == nil && bytes.HasSuffix(header, []byte("\n"))
	}, time.Minute, time.Millisecond)
	require.NoError(t, two[1].Process.Kill())
	assert.Error(t, two[1].Wait())
	require.NoError(t, two[0].Wait())
	run := merged(t, dir, 2)
	assert.Equal(t, []string{"instance-2 (1/2:1) is not in it: its record has no good end: it was killed, or broken off"}, run.Header.Merged.Lost)
	assert.False(t, run.Whole())
	row := run.Rows[0].Measured
	for _, metric := range []string{"tok/s", "goodput-req/s", "p50-e2e-ns", "engine-ttft-ns"} {
		_, has := row.Value(metric)
		assert.False(t, has, metric)
	}
	for _, a := range row.Ledger {
		assert.False(t, a.Known, a.Name)
	}
	for _, r := range run.Rows[0].Requests {
		assert.Equal(t, client.OK, r.Outcome)
	}
}
