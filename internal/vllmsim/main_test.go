package vllmsim

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMain lets the test binary be the server that it starts as a child, as
// the benchmarks do.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "sim" {
		os.Exit(Main(os.Args[2:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// child starts a server of its own process, and returns its URL. The server
// ends when closeStdin is called, and by then must have ended well.
func child(t testing.TB, flags ...string) (cmd *exec.Cmd, url string, closeStdin func()) {
	t.Helper()
	cmd = exec.Command(os.Args[0], append([]string{"sim", "--port", "0", "--exit-with-stdin"}, flags...)...)
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	url, model, ok := strings.Cut(strings.TrimPrefix(line, "vllmsim: listening on "), " (")
	require.True(t, ok, line)
	if len(flags) == 0 {
		require.Equal(t, "model Qwen/Qwen2.5-7B on A100-80GB)\n", model)
	}
	return cmd, url, func() {
		require.NoError(t, stdin.Close())
		require.NoError(t, cmd.Wait())
	}
}

func TestChildEndsWithItsParent(t *testing.T) {
	_, url, closeStdin := child(t)
	resp, _ := do(t, "GET", url+"/health", "")
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	closeStdin()
	_, err := http.Get(url + "/health")
	assert.Error(t, err)
}

func TestBadUsage(t *testing.T) {
	tests := []struct {
		name   string
		args   []string
		status int
		want   string
	}{
		{"help", []string{"-h"}, 0, "-max-num-seqs"},
		{"unknown flag", []string{"--nope"}, 2, "vllmsim: there is no flag --nope: see -h"},
		{"misspelt flag", []string{"--max-model-len", "10", "--max-num-seq=4"}, 2, "vllmsim: there is no flag --max-num-seq: did you mean --max-num-seqs?"},
		{"unknown flag with one dash", []string{"-nope"}, 2, "flag provided but not defined: -nope"},
		{"a value of the wrong kind", []string{"--max-num-seqs", "many"}, 2, `invalid value "many" for flag -max-num-seqs`},
		{"argument", []string{"Qwen/Qwen2.5-7B"}, 2, `vllmsim: unexpected argument "Qwen/Qwen2.5-7B": give flags only, see -h`},
		{"unknown model", []string{"--model", "gpt-2"}, 1, `vllmsim: unknown model "gpt-2": use one of Qwen2.5-0.5B, Qwen2.5-7B, Qwen2.5-72B, Llama-3.1-8B, Llama-3.1-70B`},
		{"no such port", []string{"--port", "70000"}, 1, "vllmsim: cannot listen, choose another --host or --port: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stderr bytes.Buffer
			assert.Equal(t, tt.status, Main(tt.args, io.Discard, &stderr))
			assert.Contains(t, stderr.String(), tt.want)
		})
	}
}

func TestFlags(t *testing.T) {
	o, err := parseFlags(strings.Fields("--host 0.0.0.0 --port 1234 --model m --tensor-parallel-size 9 --served-model-name s --gpu g --max-model-len 1 "+
		"--max-num-seqs 2 --max-num-batched-tokens 3 --gpu-memory-utilization 0.5 --block-size 4 --num-gpu-blocks-override 5 "+
		"--no-enable-prefix-caching --kv-cache-dtype fp8 --long-prefill-token-threshold 6 --long-prefill-token-threshold-adaptive "+
		"--scheduling-policy priority --watermark 0.01 --stream-interval 7 --no-enable-chunked-prefill --no-scheduler-reserve-full-isl "+
		"--no-async-scheduling --bandwidth-share 0.6 --compute-share 0.7 --step-overhead 1ms --request-overhead 2ms --request-latency 3ms --api-key k --drift 0.1 --drift-over 2m"), io.Discard)
	require.NoError(t, err)
	assert.Equal(t, Config{
		Model: "m", TensorParallelSize: 9, ServedModelName: "s", GPU: "g", MaxModelLen: 1, MaxNumSeqs: 2, MaxNumBatchedTokens: 3,
		GPUMemoryUtilization: 0.5, BlockSize: 4, NumGPUBlocksOverride: 5, NoPrefixCaching: true, APIKey: "k",
		KVCacheDType: "fp8", LongPrefillTokenThreshold: 6, LongPrefillTokenThresholdAdaptive: true, SchedulingPolicy: "priority",
		Watermark: 0.01, StreamInterval: 7, NoChunkedPrefill: true, NoReserveFullISL: true, NoAsyncScheduling: true,
		Timing: Timing{Bandwidth: 0.6, Compute: 0.7, Step: time.Millisecond, Request: 2 * time.Millisecond, Latency: 3 * time.Millisecond},
		Drift:  0.1, DriftOver: 2 * time.Minute,
	}, o.Config)
	assert.Equal(t, "0.0.0.0", o.host)
	assert.Equal(t, 1234, o.port)

	o, err = parseFlags([]string{"--enable-prefix-caching", "--async-scheduling=false", "--enable-chunked-prefill=true"}, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, Config{NoAsyncScheduling: true}, o.Config)
}
