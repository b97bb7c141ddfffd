package answers

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/measure"
	"vllmbench/internal/results"
	"vllmbench/internal/roofline"
)

// healthy is a run on a GPU of which nothing is to be warned: 6 repetitions at
// batch 1 and 32, the largest of which s changes at will.
func healthy(t *testing.T) *sample {
	t.Helper()
	s := newSample(1)
	s.serve(t, map[string]string{"num_gpu_blocks": "10000", "block_size": "16", "max_num_seqs": "256"})
	s.run.Header.Stamps = "kernel"
	s.run.Header.Devices = []results.Device{{Name: "NVIDIA H200"}}
	for r := range 6 {
		for _, batch := range []int{1, 32} {
			s.row(r+1, atBatch(batch), map[string]float64{
				"tok/s": s.noisy(200*float64(batch), 0.01), "mean-ttft-ns": 1e7 * float64(batch), "engine-queue-ns": 1e4,
				"preemptions/op": 0, "prefix-hit-%": 0, "turnaround-%": 0.1, "mean-itl-ns": 5e6,
				"gpu-idle-%": 2, "gpu-dram-%": 60, "gpu-tensor-%": 10, "gpu-util-%": 100,
			})
		}
		s.row(r+1, measure.Cell{Experiment: latency, Name: "Latency", Batch: 1, PromptTokens: 200, OutputTokens: 100},
			map[string]float64{"tok/s": 200, "gpu-clock-Hz": 1.98e9})
	}
	return s
}

// set changes a metric of every row that has it.
func (s *sample) set(metric string, value float64) {
	for i := range s.run.Rows {
		m := &s.run.Rows[i].Measured
		for k := range m.Values {
			if m.Values[k].Metric == metric {
				m.Values[k].Value = value
			}
		}
	}
}

// serverInfo puts a vllm_config into the header.
func (s *sample) serverInfo(t *testing.T, config string) {
	t.Helper()
	var info map[string]any
	require.NoError(t, json.Unmarshal(s.run.Header.Server, &info))
	info["server_info"] = json.RawMessage(`{"vllm_config":` + config + `}`)
	var err error
	s.run.Header.Server, err = json.Marshal(info)
	require.NoError(t, err)
}

func TestWarnings(t *testing.T) {
	for _, tc := range []struct {
		name  string
		wrong func(*sample)
		what  string // of the only warning; none: ""
		try   string
	}{
		{"nothing", func(*sample) {}, "", ""},
		{"a simulated server", func(s *sample) { s.run.Header.Simulated = true }, "simulated", "-url"},
		{"void rows", func(s *sample) {
			s.row(7, atBatch(32), nil).Measured.Void = []string{"1 failed (http_5xx): CUDA out of memory"}
		}, "1 row of 19 (Throughput/batch=32)", "--gpu-memory-utilization"},
		{"few repetitions", func(s *sample) { s.run.Rows = s.run.Rows[:6] }, "3 of 3 cells have fewer than 6", "-count=10"},
		{"noise", func(s *sample) {
			for i := range s.run.Rows {
				if m := &s.run.Rows[i].Measured; m.Batch == 32 {
					s.setRow(i, "tok/s", 6000+float64(i)*200)
				}
			}
		}, "The throughput of 1 cell is uncertain by 5 % or more; most in Throughput/batch=32", "-benchtime"},
		{"stamps of the client", func(s *sample) { s.run.Header.Stamps = "user" }, "client's own", "Linux"},
		{"prefix hits", func(s *sample) { s.set("prefix-hit-%", 3) }, "3.00 % [3.00, 3.00] of the prompt tokens", "--no-enable-prefix-caching"},
		{"preemptions", func(s *sample) { s.set("preemptions/op", 2) }, "The KV cache ran out", "--kv-cache-dtype fp8"},
		{"a KV cache nearly full", func(s *sample) {
			s.serve(t, map[string]string{"num_gpu_blocks": "650", "block_size": "16", "max_num_seqs": "256"})
		}, "nearly full: 32 requests at their end need 92.3 %", "--gpu-memory-utilization"},
		{"the same with too few sequences to fill it", func(s *sample) {
			s.serve(t, map[string]string{"num_gpu_blocks": "650", "block_size": "16", "max_num_seqs": "16"})
		}, "", ""},
		{"a queue", func(s *sample) {
			s.serve(t, map[string]string{"max_num_seqs": "8"})
			s.set("engine-queue-ns", 2e8)
		}, "At batch 32 requests wait 200 ms", "--max-num-seqs 32"},
		{"a queue that max-num-seqs does not make", func(s *sample) { s.set("engine-queue-ns", 2e8) }, "", ""},
		{"a GPU of little use", func(s *sample) { s.set("gpu-dram-%", 20) }, "little used even at batch 32", "--max-num-seqs"},
		{"an idle GPU", func(s *sample) { s.set("gpu-idle-%", 25) }, "does nothing for 25.0 %", "--async-scheduling"},
		{"an idle GPU, by the client's fault", func(s *sample) { s.set("gpu-idle-%", 25); s.set("turnaround-%", 10) }, "", ""},
		{"heat", func(s *sample) {
			s.run.Rows[0].Measured.LeftOut = []measure.LeftOut{{Metric: "gpu-W", Rule: "throttled", Reason: "hardware thermal for 40 % of the window"}}
		}, "throttled in 1 row", "cooling"},
		{"a locked clock", func(s *sample) {
			s.run.Header.Peaks = &roofline.GPU{Name: "H200", SMClock: 1.98e9}
			s.set("gpu-clock-Hz", 1.2e9)
		}, "clock is low: 1.20 GHz [1.20, 1.20], of 1.98 GHz", "nvidia-smi"},
		{"a CPU", func(s *sample) { s.serverInfo(t, `{"device_config":{"device":"cpu"}}`) }, "runs on a CPU", "GPU"},
		{"a CPU that does not say so", func(s *sample) {
			s.serve(t, map[string]string{"block_size": "128"})
			s.run.Header.Devices = nil
			s.drop("gpu-util-%")
		}, "runs on a CPU", "GPU"},
		{"eager mode", func(s *sample) { s.serverInfo(t, `{"model_config":{"enforce_eager":true}}`) }, "without CUDA graphs", "--enforce-eager"},
		{"prefill in one piece", func(s *sample) { s.serverInfo(t, `{"scheduler_config":{"enable_chunked_prefill":false}}`) }, "Chunked prefill is off", "--enable-chunked-prefill"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := healthy(t)
			tc.wrong(s)
			got := Of(s.run).Warnings
			if tc.what == "" {
				assert.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			assert.Contains(t, got[0].What, tc.what)
			assert.Contains(t, got[0].Try, tc.try)
			assert.NotEmpty(t, got[0].Evidence)
		})
	}
}

// setRow changes a metric of one row.
func (s *sample) setRow(i int, metric string, value float64) {
	for k := range s.run.Rows[i].Measured.Values {
		if v := &s.run.Rows[i].Measured.Values[k]; v.Metric == metric {
			v.Value = value
		}
	}
}

// drop takes a metric out of every row.
func (s *sample) drop(metric string) {
	for i := range s.run.Rows {
		m := &s.run.Rows[i].Measured
		m.Values = slices.DeleteFunc(m.Values, func(v measure.Value) bool { return v.Metric == metric })
	}
}
