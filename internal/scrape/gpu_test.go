package scrape

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/gpuprobe"
)

const exporter = `DCGM_FI_DEV_POWER_USAGE{gpu="1",UUID="GPU-a",modelName="NVIDIA H200"} 512.5
DCGM_FI_DEV_FB_USED{gpu="1",UUID="GPU-a",modelName="NVIDIA H200"} 1024
DCGM_FI_DEV_FB_FREE{gpu="1",UUID="GPU-a",modelName="NVIDIA H200"} 1024
DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu="1",UUID="GPU-a",modelName="NVIDIA H200"} 7000
`

// The page shows what the sampler last read, and no figure that the GPU does not tell.
func TestPageOfGPUs(t *testing.T) {
	source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, exporter) }))
	t.Cleanup(source.Close)
	probe, err := gpuprobe.Open(context.Background(), "dcgm="+source.URL)
	require.NoError(t, err)
	defer probe.Close()
	probe.Start(time.Second)
	p, err := Listen(Config{Addr: "127.0.0.1:0", GPU: probe})
	require.NoError(t, err)
	defer p.server.Close()
	got := read(t, p)
	of := []string{"gpu", "1", "uuid", "GPU-a", "gpu_name", "NVIDIA H200"}
	assert.InDelta(t, 512.5, value(got["vllmbench_gpu_power_watts"], of...).GetGauge().GetValue(), 0)
	assert.InDelta(t, 1<<30, value(got["vllmbench_gpu_memory_used_bytes"], of...).GetGauge().GetValue(), 0)
	assert.InDelta(t, 7, value(got["vllmbench_gpu_energy_joules_total"], of...).GetCounter().GetValue(), 0)
	assert.Nil(t, got["vllmbench_gpu_temperature_celsius"])
}
