package answers

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// TestNothingKnown: without data the answer is what would give some.
func TestNothingKnown(t *testing.T) {
	void := newSample(1)
	for r := range 8 {
		void.sweep(r+1, sixBatches, 0.01, capped(8))
		void.lengths(r+1, somePrompts, someOutputs, 0.01, func(p, _ float64) float64 { return p }, func(_, o float64) float64 { return o })
	}
	for i := range void.run.Rows {
		void.run.Rows[i].Measured.Void = []string{"1 failed (truncated): no [DONE]"}
	}
	for name, run := range map[string]*results.Run{"an empty run": {Name: "empty"}, "void rows only": void.run} {
		t.Run(name, func(t *testing.T) {
			s := Of(run)
			require.Len(t, s.Answers, 6)
			for _, a := range s.Answers {
				assert.Equal(t, NotEnough, a.Status, a.ID)
				assert.Regexp(t, `(?i)run Bench|run the bench`, a.Text, a.ID)
			}
			assert.Nil(t, s.Knee)
			assert.Nil(t, s.Prefill)
			assert.Nil(t, s.Decode)
		})
	}
	s := Of(void.run)
	require.Len(t, s.Warnings, 1)
	assert.Contains(t, s.Warnings[0].What, "144 rows of 144")
	assert.Contains(t, s.Warnings[0].What, "and 13 more cells")
	assert.Contains(t, answer(t, s, "scaling").Evidence, "and 45 more void rows")
}

// One repetition has values and no interval anywhere.
func TestOneRepetition(t *testing.T) {
	s := newSample(1)
	s.sweep(1, sixBatches, 0.01, capped(8))
	s.lengths(1, somePrompts, someOutputs, 0.01, func(p, _ float64) float64 { return 1e7 + 1e5*p }, func(p, o float64) float64 { return 1e7 + 1e5*p + 5e6*o })
	sum := Of(s.run)
	for _, e := range []Estimate{sum.Knee.Batch, sum.Prefill.A, sum.Prefill.B, sum.Decode.A, sum.Decode.B} {
		assert.Nil(t, e.Low)
		assert.Equal(t, 1, e.N)
	}
	for _, id := range []string{"scaling", "prompt", "output"} {
		a := answer(t, sum, id)
		assert.Equal(t, Answered, a.Status)
		assert.Contains(t, a.Text, "(n=1)")
		assert.NotContains(t, a.Text, " [")
	}
	require.Len(t, sum.Warnings, 1)
	assert.Contains(t, sum.Warnings[0].What, "18 of 18 cells have fewer than 6 valid repetitions")
}

func TestLevels(t *testing.T) {
	s := newSample(1)
	for r := range 6 {
		s.sweep(r+1, []int{16, 2, 4}, 0, func(b float64) float64 { return 100*b + float64(r) })
	}
	s.run.Rows[1].Measured.Void = []string{"foreign traffic", "1 failed"} // batch 2
	s.run.Rows[1].Measured.Values[0].Value = 1e12
	s.row(7, atBatch(64), nil).Measured.Void = []string{"the server died"}
	levels := Levels(s.run, throughput, "tok/s")
	require.Len(t, levels, 4)
	var batches, n []int
	for _, l := range levels {
		batches, n = append(batches, l.Cell.Batch), append(n, l.N)
	}
	assert.Equal(t, []int{2, 4, 16, 64}, batches)
	assert.Equal(t, []int{5, 6, 6, 0}, n)
	assert.Equal(t, 203.0, levels[0].Value)
	assert.Nil(t, levels[0].Low, "five values have no interval at 95 %")
	assert.Equal(t, []string{"foreign traffic", "1 failed"}, levels[0].Void)
	assert.Equal(t, 402.5, levels[1].Value)
	assert.Equal(t, [2]float64{400, 405}, [2]float64{*levels[1].Low, *levels[1].High})
	assert.Empty(t, Levels(s.run, throughput, "no such metric")[0].N)
	assert.Empty(t, Levels(s.run, latency, "tok/s"))
}

// Words from outside reach no line as control characters.
func TestHostileNames(t *testing.T) {
	const evil = "\x1b[2J\x00<script>\r\n# fake\u202e"
	s := newSample(1)
	s.serve(t, map[string]string{"num_gpu_blocks": evil, "block_size": "-16", "max_num_seqs": "99999999999999999999"})
	s.run.Name = evil
	for r := range 6 {
		s.sweep(r+1, sixBatches, 0.3, capped(8))
	}
	for i := range s.run.Rows {
		m := &s.run.Rows[i].Measured
		m.Name = evil + m.Name
		m.LeftOut = []measure.LeftOut{{Metric: "gpu-idle-%", Rule: "throttled", Reason: evil}}
	}
	s.run.Rows[0].Measured.Void = []string{evil}
	s.run.Header.Devices = []results.Device{{Name: evil}}
	sum := Of(s.run)
	text := sum.Run + strings.ReplaceAll(plain(sum), "\n", "")
	for _, r := range text {
		assert.True(t, unicode.IsPrint(r) || string(r) == thin, "%q", r)
	}
	assert.NotEmpty(t, sum.Warnings)
}

// Of takes any run, and what it says can be written as JSON, which has no NaN.
func FuzzOf(f *testing.F) {
	f.Add(`{"kind":"vllm","server_info":{"vllm_config":{"model_config":{"enforce_eager":true}}}}`, 8, 200, 100, 1e3, 0.5, uint8(7))
	f.Add(`[]`, 0, -1, 0, -1e308, 1e308, uint8(255))
	f.Add(`{"model":"Qwen/Qwen2.5-7B","cache_config":{"num_gpu_blocks":"1","block_size":"16","max_num_seqs":"1"}}`, 1<<40, 1<<40, 1<<40, 1e308, 1e-308, uint8(3))
	metrics := []string{"tok/s", "mean-ttft-ns", "mean-e2e-ns", "mean-itl-ns", "gpu-idle-%", "gpu-dram-%", "gpu-tensor-%", "decode-floor-%", "engine-queue-ns", "preemptions/op", "gpu-clock-Hz"}
	f.Fuzz(func(t *testing.T, server string, batch, prompt, output int, a, b float64, rows uint8) {
		run := &results.Run{Name: "fuzz", Header: results.Header{Server: json.RawMessage(server)}}
		for i := range int(rows) {
			cell := measure.Cell{Experiment: []string{latency, throughput, seqlen}[i%3], Name: "x", Batch: batch >> (i % 5), PromptTokens: prompt >> (i % 7), OutputTokens: output >> (i % 4)}
			if i%3 != 1 {
				cell.Batch = 1
			}
			row := results.Row{Repetition: i / 24, Measured: measure.Row{Cell: cell, Requests: i % 2}}
			for k, m := range metrics {
				row.Measured.Values = append(row.Measured.Values, measure.Value{Metric: m, Value: a + b*float64(i+k)})
			}
			run.Rows = append(run.Rows, row)
		}
		_, err := json.Marshal(Of(run))
		require.NoError(t, err)
	})
}
