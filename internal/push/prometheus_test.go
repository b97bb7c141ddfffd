package push

import (
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/series"
)

// startPrometheus starts the Prometheus that is installed, as a receiver.
func startPrometheus(t *testing.T) (address string) {
	t.Helper()
	if _, err := exec.LookPath("prometheus"); err != nil {
		t.Skip("prometheus is not installed, so nothing is sent to a real one: apt-get install prometheus")
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(config, []byte("global: {}\n"), 0o666))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address = "http://" + l.Addr().String()
	require.NoError(t, l.Close())
	cmd := exec.CommandContext(t.Context(), "prometheus", "--config.file="+config, "--storage.tsdb.path="+dir,
		"--web.listen-address="+address[len("http://"):], "--web.enable-remote-write-receiver", "--log.level=error")
	cmd.Stderr = t.Output()
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Wait() }) // the test's context has ended by then, and the process with it
	require.Eventually(t, func() bool {
		resp, err := http.Get(address + "/-/ready")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil && resp.StatusCode == http.StatusOK
	}, 30*time.Second, 50*time.Millisecond, "Prometheus did not start")
	return address
}

// A real Prometheus holds what was sent, at its time; a run that is older than
// what it holds is refused, and the error says what helps.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	address := startPrometheus(t)
	sent := samples(3)
	require.NoError(t, RemoteWrite(t.Context(), Target{URL: address}, sent))

	last := sent[len(sent)-1]
	resp, err := http.Get(address + "/api/v1/query?" + url.Values{"query": {`vllmbench_row_ttft_seconds{cell="A",quantile="0.5"}`}, "time": {last.At.Format(time.RFC3339)}}.Encode())
	require.NoError(t, err)
	defer resp.Body.Close()
	var got struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&got))
	require.Len(t, got.Data.Result, 1)
	assert.Equal(t, [2]any{float64(last.At.Unix()), "2"}, got.Data.Result[0].Value)

	old := []series.Sample{sent[0]}
	old[0].At = at.Add(-24 * time.Hour)
	assert.ErrorContains(t, RemoteWrite(t.Context(), Target{URL: address}, old), "storage.tsdb.out_of_order_time_window")
}
