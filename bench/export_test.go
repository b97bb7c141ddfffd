package bench

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/scrape"
)

// exported are the flags of what is offered to Prometheus.
var exported struct{ listen string }

func init() {
	flag.StringVar(&exported.listen, "metrics-listen", "", "offer the run in progress to Prometheus at `ADDRESS`/metrics, like 127.0.0.1:9464; it ends after the last row was read")
}

// offer begins to offer the run to Prometheus, if that was asked for.
func (s *session) offer() (err error) {
	if exported.listen == "" {
		return nil
	}
	s.page, err = scrape.Listen(scrape.Config{Addr: exported.listen, Server: string(s.info.Kind), Model: s.info.Model, GPU: s.gpu})
	if err != nil {
		return fmt.Errorf("-metrics-listen: %w", err)
	}
	return nil
}

// TestMetricsListen reads the page while a run lasts: it counts what the run
// sends, holds each row, and waits at the end for a reader that came before.
func TestMetricsListen(t *testing.T) {
	t.Parallel()
	c := startChild(t, tiny("-metrics-listen=127.0.0.1:0", "-gpu=auto")...)
	c.await("# metrics: ")
	url := c.comments("metrics: ")[0]
	require.Regexp(t, `^http://127\.0\.0\.1:\d+/metrics$`, url)
	var page string
	for { // until the run has ended
		resp, err := http.Get(url)
		if err != nil {
			break
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		require.NoError(t, err)
		page = string(text)
		time.Sleep(50 * time.Millisecond)
	}
	c.end()
	assert.Zero(t, c.status(), c.all())
	assert.Equal(t, tinyCells, c.cells())
	for _, cell := range tinyCells {
		labels := `cell="` + cell + `",model_name="Qwen/Qwen2.5-7B",`
		for _, series := range []string{
			"vllmbench_row_void{" + labels + `server="vllmsim"} 0`,
			"vllmbench_row_tokens_per_second{" + labels + `server="vllmsim"} `,
			"vllmbench_row_ttft_seconds{" + labels + `quantile="0.5",server="vllmsim"} `,
			"vllmbench_requests_total{" + labels + `outcome="ok",server="vllmsim"} `,
			"vllmbench_itl_seconds_count{" + labels + `server="vllmsim"} `,
		} {
			assert.Contains(t, page, series, "the last row was read too")
		}
	}
	for _, series := range []string{"vllmbench_requests_in_flight{", "vllmbench_gpu_power_watts{"} {
		assert.Contains(t, page, "\n"+series)
	}
	assert.NotContains(t, page, "vllmbench_cell_active{", "no cell is measured any more")
}

// An address that is taken is said before the first request.
func TestMetricsListenRefuses(t *testing.T) {
	t.Parallel()
	c := runChild(t, tiny("-metrics-listen=127.0.0.1:99999")...)
	assert.Equal(t, 1, c.status())
	assert.True(t, strings.HasPrefix(c.stderr.String(), "vllmbench: -metrics-listen: "), c.stderr.String())
	assert.Empty(t, c.results())
}
