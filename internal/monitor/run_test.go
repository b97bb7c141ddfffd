package monitor

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// page is the metrics of a server that has made n tokens.
func page(w io.Writer, n int) {
	fmt.Fprintf(w, "# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running 3\n"+
		"# TYPE vllm:generation_tokens counter\nvllm:generation_tokens_total %d\n", n)
}

func fakeServer(t *testing.T, header string, served func(n int)) *httptest.Server {
	var asked atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", header)
		if r.URL.Path != "/metrics" {
			http.NotFound(w, r)
			return
		}
		assert.Equal(t, http.MethodGet, r.Method, "the monitor sends no request")
		n := int(asked.Add(1))
		page(w, 100*n)
		served(n)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestRunPlain(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := fakeServer(t, "vllmsim", func(n int) {
		if n == 5 {
			cancel()
		}
	})
	log := filepath.Join(t.TempDir(), "log.csv")
	var out bytes.Buffer
	require.NoError(t, Run(ctx, Config{URL: s.URL, Interval: minInterval, Log: log}, &out))
	assert.Contains(t, out.String(), "# no GPU figures: DCGM exporter at "+s.URL+"/dcgm/metrics gives no GPU", "the embedded server's own was asked for")
	assert.Contains(t, out.String(), "  simulated\n")
	assert.Regexp(t, `(?m)^\d\d:\d\d:\d\d +3 +\d+$`, out.String())
	assert.Regexp(t, `(?m)^# watched for .*: `+s.URL+`, simulated$`, out.String())
	assert.Regexp(t, `(?m)^# \d+ tokens generated$`, out.String())
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, strings.Count(string(text), "\n"), 3)
}

func TestRunRefuses(t *testing.T) {
	empty := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	defer empty.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	there := filepath.Join(t.TempDir(), "there")
	require.NoError(t, os.WriteFile(there, nil, 0o666))
	ok := fakeServer(t, "uvicorn", func(int) {})
	for _, c := range []struct {
		name   string
		config Config
		says   string
	}{
		{"nothing to watch", Config{GPU: "none"}, "nothing to watch, neither a server nor a GPU (none: GPU figures are turned off): give -url or VLLM_BASE_URL, or -gpu nvml or dcgm=URL"},
		{"no server there", Config{URL: gone.URL, GPU: "none"}, "no server answers at " + gone.URL},
		{"another server", Config{URL: empty.URL, GPU: "none"}, empty.URL + " has no metrics of vLLM's"},
		{"unknown GPU source", Config{URL: ok.URL, GPU: "tpu"}, `GPU source "tpu" is not known`},
		{"too fast", Config{URL: ok.URL, Interval: time.Millisecond}, "interval 1ms would slow what it watches: give -interval 200ms or more"},
		{"log exists", Config{URL: ok.URL, GPU: "none", Log: there}, there + " exists and is not overwritten"},
		{"no such folder", Config{URL: ok.URL, GPU: "none", Log: filepath.Join(there, "x")}, "the log cannot be written"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			err := Run(t.Context(), c.config, &out)
			require.ErrorContains(t, err, c.says)
			assert.NotContains(t, err.Error(), "\n")
			assert.Empty(t, out.String())
		})
	}
}

func TestKeys(t *testing.T) {
	m := &screen{session: &session{state: underLoad(newState())}, view: View{Width: 80, Height: 24}}
	press := func(k tea.Key) tea.Cmd { _, cmd := m.Update(tea.KeyPressMsg(k)); return cmd }
	press(tea.Key{Code: '3', Text: "3"})
	assert.Equal(t, GPUPage, m.view.Page)
	press(tea.Key{Code: tea.KeyTab})
	assert.Equal(t, EventPage, m.view.Page)
	press(tea.Key{Code: tea.KeyTab})
	assert.Equal(t, Overview, m.view.Page)
	press(tea.Key{Code: tea.KeyTab, Mod: tea.ModShift})
	assert.Equal(t, EventPage, m.view.Page)
	m.Update(tea.WindowSizeMsg{Width: 100, Height: 30})
	assert.Len(t, strings.Split(m.View().Content, "\n"), 30)

	press(tea.Key{Code: '1', Text: "1"})
	press(tea.Key{Code: ' ', Text: " "})
	held := m.View().Content
	assert.Contains(t, held, "HELD")
	m.Update(Tick{At: at(61), Server: snapshot(61, 1000, 9)})
	assert.Equal(t, held, m.View().Content)
	assert.Len(t, m.state.rows, 61, "the reading goes on")
	press(tea.Key{Code: ' ', Text: " "})
	assert.NotContains(t, m.View().Content, "HELD")

	for _, k := range []tea.Key{{Code: 'q', Text: "q"}, {Code: 'c', Mod: tea.ModCtrl}} {
		cmd := press(k)
		require.NotNil(t, cmd)
		assert.IsType(t, tea.QuitMsg{}, cmd())
	}
	assert.Nil(t, press(tea.Key{Code: 'x', Text: "x"}))
}
