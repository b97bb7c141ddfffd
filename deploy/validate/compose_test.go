package validate

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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

// TestNamesAreScraped holds each name that Prometheus asks DNS for to a service of the compose file and of the overlays.
func TestNamesAreScraped(t *testing.T) {
	text, err := os.ReadFile("../prometheus/containers.yml")
	require.NoError(t, err)
	all, err := Compose(composeDir, composeFile, "sim", "cpu", "gpu", "client")
	require.NoError(t, err)
	names := Names(all)
	asked := regexp.MustCompile(`names: \[([\w-]+)\]`).FindAllStringSubmatch(string(text), -1)
	require.Len(t, asked, 4)
	for _, m := range asked {
		assert.True(t, names[m[1]], "no service of the compose file is %s", m[1])
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
