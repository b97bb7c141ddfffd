package bench

import (
	"crypto/tls"
	"encoding/pem"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/results"
	"vllmbench/internal/vllmsim"
)

// simulateTLS runs an embedded server over TLS, with a certificate that no system trusts, and returns the file of its authority.
func simulateTLS(t *testing.T) (address, ca string) {
	t.Helper()
	certified := httptest.NewTLSServer(nil) // for its certificate
	certified.Close()
	ca = filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certified.Certificate().Raw}), 0o666))

	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: certified.TLS.Certificates})
	require.NoError(t, err)
	serve(t, l, vllmsim.Config{})
	return "https://" + l.Addr().String(), ca
}

// TestTLS measures over TLS: with the authority named it is like any run; not
// verified, every output says so.
func TestTLS(t *testing.T) {
	t.Parallel()
	address, ca := simulateTLS(t)
	for flag, insecure := range map[string]bool{"-ca=" + ca: false, "-insecure": true} {
		dir := filepath.Join(t.TempDir(), "run")
		c := runChild(t, tiny("-url="+address, flag, "-record="+dir, "-test.bench=Latency", "-gpu=auto")...)
		require.Zero(t, c.status(), c.all())
		assert.Len(t, c.cells(), 1)
		assert.Len(t, c.comments("stamps: kernel; "), 1, "the kernel stamps the bytes under TLS too")
		assert.Contains(t, c.stdout.String(), "# gpu 0: simulated", "the exporter is believed like the server")

		text := dir + ".txt"
		require.NoError(t, os.WriteFile(text, []byte(c.stdout.String()), 0o666))
		want := results.Fact{Group: results.FactServer, Name: "certificate", Value: "INSECURE: not verified"}
		for _, saved := range []string{dir, text} {
			run, err := results.Load(saved)
			require.NoError(t, err)
			if insecure {
				assert.Contains(t, run.Facts(), want, saved)
			} else {
				assert.NotContains(t, run.Facts(), want, saved)
			}
			require.NoError(t, run.Close())
		}
		if insecure {
			assert.Len(t, c.comments(results.Insecure), 1)
		}
	}
}

// TestExporterPassword: one that stands in the exporter's URL is not recorded.
func TestExporterPassword(t *testing.T) {
	t.Parallel()
	server := simulate(t, vllmsim.Config{})
	u, err := url.Parse(server)
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "run")
	c := runChild(t, tiny("-url="+server, "-gpu=dcgm=http://me:"+secret+"@"+u.Host+"/dcgm/metrics", "-record="+dir, "-test.bench=Latency")...)
	require.Zero(t, c.status(), c.all())
	assert.NotContains(t, c.all(), secret)
	for name, text := range files(t, dir) {
		assert.NotContains(t, text, secret, name)
	}
	run, err := results.Open(dir)
	require.NoError(t, err)
	assert.Equal(t, "dcgm=http://[user]@"+u.Host+"/dcgm/metrics", run.Header.Flags["gpu"])
	require.NoError(t, run.Close())
}

// TestEmbeddedServerIsLocal: nobody but this machine reaches it unless told.
func TestEmbeddedServerIsLocal(t *testing.T) {
	t.Parallel()
	address, _ := serveAlone(t)
	assert.Regexp(t, `^http://127\.0\.0\.1:\d+$`, address)
}
