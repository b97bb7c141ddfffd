package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/perf/benchfmt"

	"vllmbench/client"
	"vllmbench/gpuprobe"
	"vllmbench/internal/engine"
)

// FuzzHeader has a server and its exporter say anything: in the header it is
// one value of one key or one comment, and forges neither results nor other lines.
func FuzzHeader(f *testing.F) {
	f.Add("m", "0.32.0", "8", "NVIDIA H200", true)
	f.Add("m\nBenchmarkFake 1 1 ns/op", "1\nUnit tok/s better=lower", "a\r\ngoos: plan9", "x\nBenchmarkFake 1 1 ns/op", false)
	f.Add("BenchmarkFake 1 1 ns/op", "\x1b[2J", "\u2028key: value", "gpu: a", true)
	f.Add("model: a", "", "\x00", " \t", false)
	var said struct{ model, version, setting, gpu string }
	var sim bool
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if sim {
			w.Header().Set("Server", "vllmsim")
		}
		say := func(v any) { _ = json.NewEncoder(w).Encode(v) } // the client may be gone
		switch r.URL.Path {
		case "/v1/models":
			say(map[string]any{"data": []any{map[string]any{"id": said.model, "root": said.setting, "owned_by": "vllm", "max_model_len": 100}}})
		case "/version":
			say(map[string]any{"version": said.version})
		case "/server_info":
			say(map[string]any{"vllm_config": map[string]any{"scheduler_config": map[string]any{"max_num_seqs": said.setting}}})
		case "/metrics":
			fmt.Fprintf(w, "vllm:cache_config_info{block_size=%s} 1\n", label(said.setting))
		case "/gpu":
			fmt.Fprintf(w, "DCGM_FI_DEV_POWER_USAGE{gpu=\"0\",modelName=%s,DCGM_FI_DRIVER_VERSION=%[1]s} 100\n", label(said.gpu))
		default:
			http.Error(w, said.version, http.StatusNotFound)
		}
	}))
	f.Cleanup(s.Close)
	shown, err := shown()
	require.NoError(f, err)

	f.Fuzz(func(t *testing.T, model, version, setting, gpu string, embedded bool) {
		said.model, said.version, said.setting, said.gpu, sim = model, version, setting, gpu, embedded
		info, err := (&engine.Client{URL: s.URL}).Discover(t.Context(), "")
		if err != nil {
			assert.NotContains(t, err.Error(), "\n")
			return
		}
		probe, err := gpuprobe.Open(t.Context(), "dcgm="+s.URL+"/gpu")
		if err != nil {
			assert.NotContains(t, err.Error(), "\n")
			return
		}
		defer probe.Close()
		c, err := client.New(client.Config{BaseURL: s.URL, Model: info.Model})
		require.NoError(t, err)
		defer c.Close()
		var out bytes.Buffer
		(&session{info: info, client: c, gpu: probe, shown: shown}).header(&out)
		onlyHeader(t, out.String(), info.Model)
	})
}

// onlyHeader asserts that out is the configuration, units and comments of a run of model.
func onlyHeader(t *testing.T, out, model string) {
	t.Helper()
	assert.Empty(t, steering.FindAllString(out, 3))
	lines := benchfmt.NewReader(strings.NewReader(out+"BenchmarkOwn 1 1 ns/op\n"), "header")
	results := 0
	for lines.Scan() {
		switch rec := lines.Result().(type) {
		case *benchfmt.Result:
			results++
			assert.Equal(t, "Own", rec.Name.String())
			var keys []string
			for _, c := range rec.Config {
				keys = append(keys, c.Key)
			}
			slices.Sort(keys)
			keys = slices.DeleteFunc(keys, func(k string) bool { return k == "gpu" }) // which may have no name
			assert.Equal(t, []string{"model", "server", "workload"}, keys)
			assert.Equal(t, model, rec.GetConfig("model"))
		case *benchfmt.UnitMetadata:
			assert.Equal(t, "better", rec.Key)
		default:
			t.Errorf("%v", rec)
		}
	}
	assert.NoError(t, lines.Err())
	assert.Equal(t, 1, results)
	for line := range strings.Lines(out) {
		assert.Regexp(t, `^(# |Unit \S+ better=(higher|lower)\n$|(server|model|gpu|workload): )`, line)
	}
}

// FuzzCounts reads any text as a list of numbers.
func FuzzCounts(f *testing.F) {
	f.Add("1,4, 8")
	f.Add("0x10,+1,99999999999999999999,1,1")
	f.Fuzz(func(t *testing.T, text string) {
		before := counts{7}
		c := slices.Clone(before)
		if err := c.Set(text); err != nil {
			assert.NotEmpty(t, err.Error())
			assert.Equal(t, before, c, "a refused text changes nothing")
			return
		}
		require.NotEmpty(t, c)
		assert.Positive(t, slices.Min(c))
		assert.Len(t, slices.Compact(slices.Sorted(slices.Values(c))), len(c), "each is named once")
		var again counts
		require.NoError(t, again.Set(c.String()))
		assert.Equal(t, c, again)
	})
}

// FuzzMetricsFlag asks for any metrics, the names of which become columns.
func FuzzMetricsFlag(f *testing.F) {
	f.Add("all")
	f.Add("tok/s,p50-itl-ns")
	f.Add("tok/s,,\x00")
	old := flags.metrics
	f.Cleanup(func() { flags.metrics = old })
	f.Fuzz(func(t *testing.T, text string) {
		flags.metrics = text
		ms, err := shown()
		if err != nil {
			assert.NotContains(t, err.Error(), "\n")
			return
		}
		assert.NotEmpty(t, ms)
	})
}
