package gpuprobe

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func page(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".prom")
	require.NoError(t, err)
	return b
}

// TestPageGolden reads pages of exporters and compares all that is made of them.
func TestPageGolden(t *testing.T) {
	for _, name := range []string{"h100x2", "mig", "renamed", "simulated"} {
		t.Run(name, func(t *testing.T) {
			rows, err := readPage(bytes.NewReader(page(t, name)))
			require.NoError(t, err)
			var out bytes.Buffer
			enc := json.NewEncoder(&out)
			for _, r := range rows {
				require.NoError(t, enc.Encode(r.device))
				require.NoError(t, enc.Encode(r.reading()))
			}
			golden := "testdata/" + name + ".golden"
			if os.Getenv("UPDATE_GOLDEN") != "" {
				require.NoError(t, os.WriteFile(golden, out.Bytes(), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), out.String())
		})
	}
}

// exporter serves a page that the test may change.
func exporter(t *testing.T, first []byte) (url string, page *atomic.Value) {
	t.Helper()
	page = &atomic.Value{}
	page.Store(first)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := page.Load().([]byte)
		if r.URL.Path != "/metrics" || b == nil {
			http.Error(w, "not here", http.StatusNotFound)
			return
		}
		_, _ = w.Write(b)
	}))
	t.Cleanup(s.Close)
	return s.URL, page
}

func TestDCGM(t *testing.T) {
	full := page(t, "h100x2")
	url, now := exporter(t, full)
	p, err := Open(t.Context(), "dcgm="+url+"#1")
	require.NoError(t, err)
	defer p.Close()
	require.Len(t, p.Devices(), 1)
	d := p.Devices()[0]
	assert.Equal(t, "NVIDIA H100 80GB HBM3", d.Name)
	assert.False(t, d.Simulated)
	from := time.Now()
	p.Start(time.Hour)
	last := func() Sample {
		all := p.Samples(from, time.Now())
		return all[len(all)-1]
	}
	assert.Equal(t, known(0.8), last().GPUs[0].DRAM)
	assert.Equal(t, known(0), last().GPUs[0].Xids)

	now.Store(bytes.ReplaceAll(full, []byte(`DCGM_FI_DEV_XID_ERRORS{gpu="1",UUID="GPU-bbbb",pci_bus_id="00000000:26:00.0",device="nvidia1",modelName="NVIDIA H100 80GB HBM3",Hostname="node7",DCGM_FI_DRIVER_VERSION="570.86.15"} 0`),
		[]byte(`DCGM_FI_DEV_XID_ERRORS{gpu="1",UUID="GPU-bbbb"} 48`)))
	p.Mark()
	assert.Equal(t, known(1), last().GPUs[0].Xids)
	assert.Equal(t, known(48), last().GPUs[0].Xid)

	now.Store(bytes.ReplaceAll(full, []byte("GPU-bbbb"), []byte("GPU-cccc")))
	p.Mark()
	assert.True(t, last().GPUs[0].Lost)
	assert.Equal(t, StateLost, p.State().Name)

	now.Store([]byte("<html>"))
	p.Mark()
	assert.Equal(t, StateSilent, p.State().Name)
	assert.Contains(t, p.State().Reason, "not Prometheus' text format")
	now.Store(full)
	p.Mark()
	assert.Equal(t, State{Name: StateDCGM}, p.State())
}

func TestDCGMSimulated(t *testing.T) {
	url, _ := exporter(t, page(t, "simulated"))
	p, err := Open(t.Context(), "dcgm="+url+"/metrics")
	require.NoError(t, err)
	assert.True(t, p.Devices()[0].Simulated)
	require.NoError(t, p.Close())
}

func TestDCGMNotThere(t *testing.T) {
	full, _ := exporter(t, page(t, "h100x2"))
	other, _ := exporter(t, []byte("up 1\n"))
	text, _ := exporter(t, []byte("hello"))
	for spec, says := range map[string]string{
		full + "/elsewhere":  "it answers 404 Not Found: give the URL of its metrics page",
		full + "#7":          `GPU "7" is not there: choose from 0 (GPU-aaaa), 1 (GPU-bbbb)`,
		other:                "its page has no GPU",
		text:                 "not Prometheus' text format",
		"http://127.0.0.1:1": "it does not answer: dial tcp 127.0.0.1:1: ",
	} {
		_, err := Open(t.Context(), "dcgm="+spec)
		require.ErrorContains(t, err, says)
		assert.True(t, strings.HasPrefix(err.Error(), "DCGM exporter at http://127.0.0.1:"), err.Error())
		assert.NotContains(t, err.Error(), "\n")
	}
}

// FuzzPage: a page is read or refused; what is read is finite, not negative and none of DCGM's blanks.
func FuzzPage(f *testing.F) {
	for _, name := range []string{"h100x2", "mig", "renamed", "simulated"} {
		f.Add(page(f, name))
	}
	f.Add([]byte("DCGM_FI_DEV_POWER_USAGE{gpu=\"0\"} NaN\n"))
	f.Add([]byte("DCGM_FI_DEV_POWER_USAGE{gpu=\"-1\"} 1\nDCGM_FI_DEV_POWER_USAGE{gpu=\"x\"} 1\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		rows, err := readPage(bytes.NewReader(b))
		if err != nil {
			assert.NotContains(t, err.Error(), "\n")
			return
		}
		for i, r := range rows {
			for name, n := range r.fields {
				if n < 0 || math.IsNaN(n) || n >= 9.22e18 || n == 140737488355328 || n == 2147483632 {
					t.Errorf("%s = %v is no figure", name, n)
				}
			}
			if i > 0 && rows[i-1].device.Index > r.device.Index {
				t.Error("rows are not sorted")
			}
			if r.device.Index < 0 {
				t.Error("a negative index")
			}
		}
	})
}
