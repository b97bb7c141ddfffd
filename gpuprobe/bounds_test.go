package gpuprobe

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/trust"
)

// TestDCGMBounded: a page that never ends, or is one of a whole fleet, is refused.
func TestDCGMBounded(t *testing.T) {
	var fleet strings.Builder
	for i := range gpuLimit + 1 {
		fmt.Fprintf(&fleet, "DCGM_FI_DEV_GPU_TEMP{gpu=\"%d\"} 40\n", i)
	}
	many, _ := exporter(t, []byte(fleet.String()))
	_, err := Open(t.Context(), "dcgm="+many)
	assert.ErrorContains(t, err, "its page has 129 GPUs")

	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		part := strings.Repeat("up 1\n", 10000)
		for n := 0; n < 1<<30; n += len(part) {
			if _, err := io.WriteString(w, part); err != nil {
				return
			}
		}
		t.Error("1 GiB was read")
	}))
	defer endless.Close()
	_, err = Open(t.Context(), "dcgm="+endless.URL)
	assert.ErrorContains(t, err, "its page has more than 4 MiB")
}

// TestDCGMOverTLS: a certificate is held against what the caller trusts.
func TestDCGMOverTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(page(t, "h100x2")) }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o666))

	_, err := Open(t.Context(), "dcgm="+s.URL)
	assert.ErrorContains(t, err, "failed to verify certificate")
	for _, believed := range []trust.Trust{{CA: ca}, {Insecure: true}} {
		conf, err := believed.TLS()
		require.NoError(t, err)
		p, err := OpenTLS(t.Context(), "dcgm="+s.URL, conf)
		require.NoError(t, err)
		assert.Len(t, p.Devices(), 2)
		require.NoError(t, p.Close())
	}
}
