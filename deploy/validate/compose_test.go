package validate

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
)

const (
	composeDir  = "../compose"
	composeFile = composeDir + "/compose.yaml"
)

func TestCompose(t *testing.T) {
	want := map[string][]string{
		"sim": {"grafana", "prometheus", "sim"},
		"cpu": {"cpu", "grafana", "prometheus"},
		"gpu": {"dcgm-exporter", "gpu", "grafana", "prometheus"},
	}
	for profile, services := range want {
		t.Run(profile, func(t *testing.T) {
			p, err := Compose(composeDir, composeFile, profile)
			require.NoError(t, err)
			assert.ElementsMatch(t, services, p.ServiceNames())
			assert.NoError(t, CheckCompose(p))
			names := Names(p)
			assert.True(t, names["server"], "the client finds no server")
			assert.True(t, names["server-pods"], "Prometheus finds no server")
		})
	}
	p, err := Compose(composeDir, composeFile, "client")
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"bench", "k6", "merge", "report"}, p.ServiceNames())
	assert.NoError(t, CheckCompose(p))
	assert.Equal(t, "http://server:8000", *p.Services["k6"].Environment["VLLM_BASE_URL"], "k6 has the environment of all clients")
}

// TestNamesAreScraped holds each name that Prometheus asks DNS for to a service of the compose file, and the
// servers' and exporters' to a Service of the overlays.
func TestNamesAreScraped(t *testing.T) {
	text, err := os.ReadFile("../prometheus/containers.yml")
	require.NoError(t, err)
	all, err := Compose(composeDir, composeFile, "sim", "cpu", "gpu", "client")
	require.NoError(t, err)
	composed, served := Names(all), map[string]bool{}
	for _, overlay := range []string{"sim", "gpu"} {
		for _, o := range decoded(t, "../k8s/overlays/"+overlay) {
			if service, ok := o.(*corev1.Service); ok {
				served[service.Name] = true
			}
		}
	}
	asked := regexp.MustCompile(`names: \[([\w-]+)\]`).FindAllStringSubmatch(string(text), -1)
	require.Len(t, asked, 4)
	for _, m := range asked {
		assert.True(t, composed[m[1]], "no service of the compose file is %s", m[1])
		assert.True(t, served[m[1]] || m[1] == "bench", "no Service is %s", m[1])
	}
}

// TestCountersAreExported holds the exporter's fields to what the dashboard asks for.
func TestCountersAreExported(t *testing.T) {
	dashboard, err := os.ReadFile("../grafana/vllmbench.json")
	require.NoError(t, err)
	counters, err := os.ReadFile("../k8s/components/dcgm/counters.csv")
	require.NoError(t, err)
	fields := regexp.MustCompile(`DCGM_FI_[A-Z_]*[A-Z]`).FindAllString(string(dashboard), -1)
	require.NotEmpty(t, fields)
	for _, f := range fields {
		assert.Contains(t, string(counters), "\n"+f+", ")
	}
}

func TestComposeBroken(t *testing.T) {
	text, err := os.ReadFile(composeFile)
	require.NoError(t, err)
	for _, b := range []struct{ name, old, new, finds string }{
		{"unknown field", "shm_size: 8gb", "shm_sized: 8gb", "services.gpu.shm_sized"},
		{"wrong type", "cap_add: [SYS_NICE]", "cap_add: 1", "services.cpu.cap_add must be a array"},
		{"dependency that is not there", "depends_on: [prometheus]", "depends_on: [prometheu]", `depends on undefined service "prometheu"`},
		{"volume that is not there", "models:/models", "model:/models", "refers to undefined volume model"},
		{"file that is not there", "../prometheus/containers.yml", "../prometheus/container.yml", "no such file or directory"},
		{"image without a tag", "vllm/vllm-openai:v0.32.0", "vllm/vllm-openai", "names no version"},
		{"port open to all", `"127.0.0.1:9090:9090"`, `"9090:9090"`, "open to others"},
	} {
		t.Run(b.name, func(t *testing.T) {
			require.Contains(t, string(text), b.old)
			file := filepath.Join(t.TempDir(), "compose.yaml")
			require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(string(text), b.old, b.new)), 0o600))
			p, err := Compose(composeDir, file, "sim", "cpu", "gpu", "client")
			if err == nil {
				err = CheckCompose(p)
			}
			assert.ErrorContains(t, err, b.finds)
		})
	}
}
