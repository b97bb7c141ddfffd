package vllmsim

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The files in testdata/replay are the flags of a server and what a real vLLM
// with these flags counted for the arrivals in arrivals.jsonl. `make vllm-replay`
// takes them again: for each, it starts vLLM on this machine's CPU and runs
//
//	VLLM_REPLAY_URL=http://127.0.0.1:8031 VLLM_REPLAY=preempt go test ./internal/vllmsim -run Replay
const replayFolder = "testdata/replay"

// A replayed is one request. Those of a wave are queued in their order before
// any of them runs, so that steps and not the clock decide who meets whom.
type replayed struct {
	Wave         int    `json:"wave"`
	Prefix       string `json:"prefix"` // names the tokens that others begin with, too
	PrefixTokens int    `json:"prefix_tokens"`
	Own          string `json:"own"` // names the tokens behind
	OwnTokens    int    `json:"own_tokens"`
	Output       int    `json:"output"`
	Salt         string `json:"salt"`
	Priority     int    `json:"priority"`
}

// prompt is the replayed's token ids, of a vocabulary that every model has.
func (a replayed) prompt() []int32 {
	var out []int32
	add := func(name string, n int) {
		seed := uint64(len(name))
		for _, c := range name {
			seed = mix(seed + uint64(c))
		}
		for i := range n {
			out = append(out, 100+int32(mix(seed+uint64(i))%8000))
		}
	}
	add("prefix "+a.Prefix, a.PrefixTokens)
	add("own "+a.Own, a.OwnTokens)
	return out
}

// send returns when the server has answered with its headers. It reads the
// stream to its end in the group.
func (a replayed) send(t *testing.T, url string, group *sync.WaitGroup) {
	t.Helper()
	request := map[string]any{
		"prompt": a.prompt(), "max_tokens": a.Output, "ignore_eos": true, "temperature": 0, "stream": true, "priority": a.Priority,
	}
	if a.Salt != "" {
		request["cache_salt"] = a.Salt
	}
	body, err := json.Marshal(request)
	require.NoError(t, err)
	resp, err := http.Post(url+"/v1/completions", "application/json", strings.NewReader(string(body)))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	group.Go(func() {
		defer resp.Body.Close()
		_, err := io.Copy(io.Discard, resp.Body)
		assert.NoError(t, err)
	})
}

func readArrivals(t *testing.T) (waves [][]replayed) {
	t.Helper()
	f, err := os.Open(filepath.Join(replayFolder, "arrivals.jsonl"))
	require.NoError(t, err)
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var a replayed
		require.NoError(t, json.Unmarshal(lines.Bytes(), &a))
		if a.Wave > len(waves) {
			waves = append(waves, nil)
		}
		waves[a.Wave-1] = append(waves[a.Wave-1], a)
	}
	require.NoError(t, lines.Err())
	return waves
}

// replay sends all waves and returns what the server counted. Between two
// arrivals it waits, since a real server's headers come before its engine has
// the request.
func replay(t *testing.T, url string, between time.Duration) map[string]float64 {
	t.Helper()
	post := func(path string) {
		resp, body := do(t, "POST", url+path, "")
		require.Equal(t, http.StatusOK, resp.StatusCode, body)
	}
	post("/reset_prefix_cache")
	before := counts(scrape(t, url))
	for _, wave := range readArrivals(t) {
		post("/pause?mode=keep&clear_cache=false")
		var group sync.WaitGroup
		for _, a := range wave {
			a.send(t, url, &group)
			time.Sleep(between)
		}
		post("/resume")
		group.Wait()
	}
	time.Sleep(10 * between) // a real server's counters follow its streams
	after := counts(scrape(t, url))
	for name := range after {
		after[name] -= before[name]
	}
	return after
}

// countedFamilies are what steps determine, whatever their time.
func countedFamilies() []string {
	return []string{
		"request_success_total", "prompt_tokens_total", "generation_tokens_total", "prompt_tokens_by_source_total", "prompt_tokens_cached_total",
		"prefix_cache_queries_total", "prefix_cache_hits_total", "num_preemptions_total", "iteration_tokens_total",
		"request_num_preemptions", "request_prefill_kv_computed_tokens", "request_generation_tokens", "request_prompt_tokens",
	}
}

// counts is each of their series, a histogram's buckets apart.
func counts(families map[string]*dto.MetricFamily) map[string]float64 {
	out := make(map[string]float64)
	for _, family := range countedFamilies() {
		for _, m := range families["vllm:"+family].Metric {
			name := family
			for _, l := range m.Label {
				if l.GetName() != "engine" && l.GetName() != "model_name" {
					name += " " + l.GetName() + "=" + l.GetValue()
				}
			}
			h := m.GetHistogram()
			if h == nil {
				out[name] = m.GetCounter().GetValue()
				continue
			}
			out[name+" sum"] = h.GetSampleSum()
			last := uint64(0)
			for _, b := range h.Bucket {
				out[fmt.Sprintf("%s le=%g", name, b.GetUpperBound())] = float64(b.GetCumulativeCount() - last)
				last = b.GetCumulativeCount()
			}
		}
	}
	return out
}

func formatCounts(flags, version string, counted map[string]float64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# vLLM %s on a CPU\n%s\n", version, flags)
	for _, name := range slices.Sorted(maps.Keys(counted)) {
		fmt.Fprintf(&b, "%s: %g\n", name, counted[name])
	}
	return b.String()
}

// readReplay returns the flags of a replay and what vLLM counted.
func readReplay(t *testing.T, file string) (flags, version string, counted map[string]float64) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	counted = make(map[string]float64)
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		switch name, value, isCount := strings.Cut(line, ": "); {
		case strings.HasPrefix(line, "# "):
			version = strings.TrimSuffix(strings.TrimPrefix(line, "# vLLM "), " on a CPU")
		case isCount:
			var n float64
			_, err := fmt.Sscan(value, &n)
			require.NoError(t, err, line)
			counted[name] = n
		default:
			flags = line
		}
	}
	return flags, version, counted
}

// TestReplay sends the arrivals to a server with the flags of a real one, and
// compares what the two counted.
func TestReplay(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(replayFolder, "*.txt"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) {
			flags, version, want := readReplay(t, file)
			if url := os.Getenv("VLLM_REPLAY_URL"); url != "" {
				if name == os.Getenv("VLLM_REPLAY") {
					record(t, url, file, flags)
				}
				t.Skip("VLLM_REPLAY_URL is set: this run records VLLM_REPLAY, and compares nothing")
			}
			require.NotEmpty(t, version, "nothing is recorded yet: make vllm-replay")
			o, err := parseFlags(strings.Fields(flags+" --no-async-scheduling"), io.Discard) // which vLLM has not on CPUs
			require.NoError(t, err)
			o.SleepUntil = func(time.Time) {} // steps take no time
			got := replay(t, start(t, o.Config), 0)
			for _, name := range slices.Sorted(maps.Keys(want)) {
				assert.Equal(t, want[name], got[name], name)
			}
		})
	}
}

func record(t *testing.T, url, file, flags string) {
	t.Helper()
	_, body := do(t, "GET", url+"/version", "")
	var answer struct{ Version string }
	require.NoError(t, json.Unmarshal([]byte(body), &answer))
	text := formatCounts(flags, cmp.Or(answer.Version, "?"), replay(t, url, 30*time.Millisecond))
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
}
