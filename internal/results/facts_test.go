package results

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// opened loads one of the runs that this module keeps.
func opened(t *testing.T, name string) *Run {
	t.Helper()
	run, err := Load(real(name))
	require.NoError(t, err)
	t.Cleanup(func() { run.Close() })
	return run
}

func TestFacts(t *testing.T) {
	assert.Equal(t, []Fact{
		{"model", "name", "qwen2.5-7b"},
		{"server", "kind", "vllm"},
		{"server", "version", "0.20.2"},
		{"server", "simulated", "false"},
		{"server settings", "max-num-seqs", "8"},
		{"server settings", "max-num-batched-tokens", "8192"},
		{"server settings", "enable-chunked-prefill", "true"},
		{"server settings", "enable-prefix-caching", "true"},
		{"server settings", "gpu-memory-utilization", "0.92"},
		{"server settings", "block-size", "16"},
		{"server settings", "num-gpu-blocks", "132166"},
		{"server settings", "kv-cache-dtype", "auto"},
		{"server settings", "dtype", "bfloat16"},
		{"server settings", "max-model-len", "8192"},
		{"server settings", "tensor-parallel-size", "1"},
		{"server settings", "data-parallel-size", "1"},
		{"gpu", "device", "NVIDIA H200"},
		{"gpu", "driver", "580.159.04"},
		{"gpu", "power limit", "700 W"},
		{"workload", "endpoint", "completions"},
		{"workload", "prompts", "token ids"},
		{"workload", "output length", "exact"},
		{"workload", "prompt", "200 tokens"},
		{"workload", "output", "100 tokens"},
		{"client", "cpu", "Intel(R) Xeon(R) Processor"},
		{"client", "os", "linux/amd64"},
		{"client", "stamps", "kernel"},
	}, opened(t, "week3.txt").Facts())
}

func TestDifferencesOfRealRuns(t *testing.T) {
	want := []Difference{
		{"server settings", "max-num-seqs", "1024", "8"},
		{"server settings", "num-gpu-blocks", "130391", "132166"},
	}
	assert.Equal(t, want, Differences(opened(t, "baseline").Facts(), opened(t, "week3").Facts()))
	assert.Equal(t, want, Differences(opened(t, "baseline.txt").Facts(), opened(t, "week3.txt").Facts()))
	assert.Empty(t, Differences(opened(t, "baseline").Facts(), opened(t, "baseline").Facts()))
	// A text tells less than a folder, but nothing else.
	for _, d := range Differences(opened(t, "baseline.txt").Facts(), opened(t, "baseline").Facts()) {
		assert.True(t, d.Old == "" || d.New == "", "%+v", d)
	}
}

func TestDifferences(t *testing.T) {
	a := []Fact{{FactHarness, "x", "1"}, {FactGPU, "device 0", "A"}, {FactGPU, "device 0", "B"}}
	b := []Fact{{FactModel, "name", "m"}, {FactGPU, "device 0", "A"}, {FactHarness, "x", "2"}}
	assert.Equal(t, []Difference{{FactModel, "name", "", "m"}, {FactHarness, "x", "1", "2"}}, Differences(a, b))
	assert.Equal(t, []Difference{{FactModel, "name", "m", ""}, {FactHarness, "x", "2", "1"}}, Differences(b, a))
}

func TestFactsOfOtherServers(t *testing.T) {
	run := &Run{Header: Header{
		Server:  json.RawMessage(`{"kind":"openai-compatible","model":"m","max_model_len":4096}`),
		Flags:   map[string]string{"endpoint": "chat", "extensions": "auto", "warmup": "0", "url": "http://h", "record": "r"},
		Devices: []Device{{Index: 0, Name: "A"}, {Index: 1, Name: "B", PowerLimit: 300}},
	}}
	assert.Equal(t, []Fact{
		{"model", "name", "m"}, {"server", "kind", "openai-compatible"}, {"server", "simulated", "false"}, {"server settings", "max-model-len", "4096"},
		{"gpu", "device 0", "A"}, {"gpu", "device 1", "B"}, {"gpu", "power limit 1", "300 W"},
		{"workload", "endpoint", "chat"}, {"workload", "prompts", "text"}, {"workload", "output length", "up to the model"},
		{"harness", "warmup", "0"},
	}, run.Facts())
	assert.Empty(t, (&Run{Header: Header{Server: json.RawMessage(`"a text"`)}}).Facts())
}
