package results

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/measure"
)

// TestWriteBench: what is written is read again as it was, with what was left out and why.
func TestWriteBench(t *testing.T) {
	run := &Run{Header: header("n"), Warnings: []string{"instance-2 is missing"}}
	run.Header.Server = []byte(`{"kind":"vllm","model":"tiny","version":"0.32.0","url":"http://here:8000"}`)
	run.Header.Flags = map[string]string{"endpoint": "completions", "prompt": "200", "output": "100", "quantiles": "50,80"}
	run.Header.Merged = &Merged{Notes: []string{"merged from instance-1"}}
	for i := range 2 {
		r := row("throughput", "Throughput/batch=4", i)
		r.Values = []measure.Value{{Metric: "tok/s", Value: 100.125 + float64(i)}, {Metric: "p50-ttft-ns", Value: 5e6}, {Metric: "out-tok/req", Value: 100}}
		r.LeftOut = []measure.LeftOut{{Metric: "p80-ttft-ns", Rule: "samples", Reason: "too few"}, {Metric: "p80-itl-ns", Rule: "samples", Reason: "too few"}}
		run.Rows = append(run.Rows, Row{Measured: r})
	}
	void := row("throughput", "Throughput/batch=8", 0)
	void.Void = []string{"2 of 4 requests failed", "ledger: 1 request is not ours"}
	run.Rows = append(run.Rows, Row{Measured: void})
	var text bytes.Buffer
	require.NoError(t, WriteBench(&text, run))
	for _, line := range []string{
		"server: vllm", "model: tiny", "Unit tok/s better=higher", "# merged from instance-1", "# instance-2 is missing", "# stamps: kernel",
		"# void: Throughput/batch=8: 2 of 4 requests failed; ledger: 1 request is not ours",
		"# left out: p80-ttft-ns, p80-itl-ns in Throughput/batch=4, because: too few",
	} {
		assert.Contains(t, text.String(), line+"\n")
	}
	assert.NotContains(t, text.String(), "out-tok/req", "it is not shown by default")

	path := filepath.Join(t.TempDir(), "run.txt")
	require.NoError(t, SaveBench(path, run))
	saved, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, text.String(), string(saved))
	again, err := Load(path)
	require.NoError(t, err)
	require.Len(t, again.Rows, 2)
	for i, r := range again.Rows {
		assert.Equal(t, "Throughput/batch=4", r.Measured.Name)
		assert.Equal(t, run.Rows[i].Measured.Values[:2], withoutN(r.Measured.Values))
		assert.ElementsMatch(t, []string{"p80-ttft-ns", "p80-itl-ns"}, leftOutOf(r.Measured.LeftOut))
	}
	assert.Equal(t, []string{TextLacks}, again.Warnings)
}

func withoutN(values []measure.Value) (out []measure.Value) {
	for _, v := range values {
		v.N = 0
		out = append(out, v)
	}
	return out
}

func leftOutOf(all []measure.LeftOut) (names []string) {
	for _, l := range all {
		names = append(names, l.Metric)
	}
	return names
}

func TestMergedIsSaid(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "merged")
	h := header("n")
	h.Merged = &Merged{Instances: []Part{{Instance: "instance-1", Stamps: "kernel", Rows: []measure.Row{row("throughput", "Throughput/batch=4", 0)}}}, Lost: []string{"instance-2 is missing"}}
	w, err := Create(dir, h)
	require.NoError(t, err)
	require.NoError(t, w.Close(true))
	run := reopen(t, dir)
	assert.Equal(t, h.Merged, run.Header.Merged)
	assert.True(t, run.Complete)
	assert.Equal(t, []string{"instance-2 is missing"}, run.Warnings)
}

func TestQuantilesOfARun(t *testing.T) {
	for flag, want := range map[string][]int{"": measure.DefaultQuantiles, "50,80": {50, 80}, "100,x": measure.DefaultQuantiles} {
		h := Header{Flags: map[string]string{"quantiles": flag}}
		assert.Equal(t, want, h.Quantiles(), flag)
	}
}
