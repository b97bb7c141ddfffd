package validate

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

func decoded(t *testing.T, dir string) []runtime.Object {
	t.Helper()
	built, err := Build(dir)
	require.NoError(t, err)
	objects, err := Decode(built)
	require.NoError(t, err)
	return objects
}

// kinds counts the objects by kind.
func kinds(objects []runtime.Object) map[string]int {
	n := map[string]int{}
	for _, o := range objects {
		n[o.GetObjectKind().GroupVersionKind().Kind]++
	}
	return n
}

func TestOverlays(t *testing.T) {
	overlays, err := filepath.Glob("../k8s/overlays/*")
	require.NoError(t, err)
	want := map[string]map[string]int{
		"sim":                     {"Namespace": 1, "Deployment": 3, "Service": 5, "ConfigMap": 5, "PersistentVolumeClaim": 1, "TestRun": 1, "Job": 1},
		"kind":                    {"Namespace": 1, "Deployment": 3, "Service": 5, "ConfigMap": 5, "PersistentVolumeClaim": 1, "TestRun": 1, "Job": 1},
		"cpu":                     {"Namespace": 1, "Deployment": 3, "Service": 4, "ConfigMap": 5, "PersistentVolumeClaim": 2, "TestRun": 1, "Job": 1},
		"gpu":                     {"Namespace": 1, "Deployment": 3, "Service": 5, "ConfigMap": 6, "PersistentVolumeClaim": 2, "TestRun": 1, "Job": 1, "DaemonSet": 1},
		"gpu-prometheus-operator": {"Namespace": 1, "Deployment": 1, "Service": 3, "ConfigMap": 5, "PersistentVolumeClaim": 2, "TestRun": 1, "Job": 1, "DaemonSet": 1, "ServiceMonitor": 1, "PodMonitor": 1},
	}
	require.Len(t, overlays, len(want))
	for _, dir := range overlays {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			objects := decoded(t, dir)
			assert.NoError(t, Check(objects))
			assert.Equal(t, want[filepath.Base(dir)], kinds(objects))
		})
	}
}

// TestFetch checks the pod that holds the records beside the claim that it needs.
func TestFetch(t *testing.T) {
	objects := append(decoded(t, "../k8s/fetch"), decoded(t, "../k8s/overlays/kind")...)
	assert.NoError(t, Check(objects))
	assert.ErrorContains(t, Check(decoded(t, "../k8s/fetch")), "there is no PersistentVolumeClaim results")
}

// TestLoad holds the Job to the TestRun: as many records as runners, in the folder where the runners write.
func TestLoad(t *testing.T) {
	var run *TestRun
	var job *batchv1.Job
	var server *appsv1.Deployment
	for _, o := range decoded(t, "../k8s/overlays/gpu") {
		switch o := o.(type) {
		case *TestRun:
			run = o
		case *batchv1.Job:
			job = o
		case *appsv1.Deployment:
			if o.Name == "server" {
				server = o
			}
		}
	}
	require.NotNil(t, run)
	require.NotNil(t, job)
	assert.EqualValues(t, 4, run.Spec.Parallelism)
	assert.Contains(t, run.Spec.Runner.Env, corev1.EnvVar{Name: "VLLMBENCH_RECORD", Value: "/results/$(RUN)/instances"})
	assert.Equal(t, []string{"-expect=4", "-o", "/results/$(RUN)/merged", "/results/$(RUN)/instances"}, job.Spec.Template.Spec.InitContainers[0].Args)
	assert.True(t, *job.Spec.Suspend)
	gpus := server.Spec.Template.Spec.Containers[0].Resources.Limits["nvidia.com/gpu"]
	assert.Equal(t, "1", gpus.String())
	assert.Equal(t, corev1.StorageMediumMemory, server.Spec.Template.Spec.Volumes[1].EmptyDir.Medium)
}

// breaks are changes of one overlay's YAML, each of which must be found.
var breaks = []struct {
	name, old, new, finds string
}{
	{"unknown field", "readinessProbe:", "readynessProbe:", `unknown field "spec.template.spec.containers[0].readynessProbe"`},
	{"unknown field of a TestRun", "parallelism: 4", "paralellism: 4", `unknown field "spec.paralellism"`},
	{"unknown field of a runner", "envFrom:\n    - configMapRef:\n        name: load\n    image: vllmbench:dev\n    initContainers", "env_from: []\n    image: vllmbench:dev\n    initContainers", `unknown field "spec.runner.env_from"`},
	{"unknown field of a monitor", "scrapeTimeout: 4s\n  selector", "timeout: 4s\n  selector", `unknown field "spec.`},
	{"wrong type", "replicas: 1", "replicas: one", "cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas"},
	{"wrong type in a TestRun", "parallelism: 4", `parallelism: "4"`, "cannot unmarshal string into Go struct field TestRunSpec.spec.parallelism"},
	{"number where Kubernetes wants a text", `quiet: "false"`, "quiet: false", "cannot unmarshal bool into Go struct field TestRunSpec.spec.quiet"},
	{"quantity that is none", "storage: 100Gi", "storage: 100GiB", "quantities must match"},
	{"kind that is not there", "kind: Deployment", "kind: Deploymnt", `no kind "Deploymnt"`},
	{"service that selects nothing", "selector:\n    app.kubernetes.io/name: server\n", "selector:\n    app.kubernetes.io/name: serving\n", "its selector selects no pod"},
	{"service to no port", "targetPort: metrics", "targetPort: metric", "port metrics goes to metric, which DaemonSet dcgm-exporter does not name"},
	{"deployment of others' pods", "matchLabels:\n      app.kubernetes.io/name: server\n  strategy", "matchLabels:\n      app.kubernetes.io/name: serving\n  strategy", "its selector does not select its own pods"},
	{"probe of no port", "path: /health\n            port: http", "path: /health\n            port: web", "a probe asks port web"},
	{"script that is not there", "file: arrivals.js", "file: arrival.js", "ConfigMap scripts has no key arrival.js"},
	{"config map that is not there", "configMap:\n          name: dcgm-counters", "configMap:\n          name: counters", "there is no ConfigMap counters"},
	{"config map not mounted", "- mountPath: /etc/vllmbench\n          name: counters\n          readOnly: true", "- mountPath: /results\n          name: results", "volume counters is mounted by no container"},
	{"mount of no volume", "- mountPath: /models\n          name: models", "- mountPath: /models\n          name: model", "mounts model, which is no volume of the pod"},
	{"claim that is not there", "claimName: models", "claimName: model", "there is no PersistentVolumeClaim model"},
	{"image without a tag", "image: vllm/vllm-openai:v0.32.0", "image: vllm/vllm-openai", `image "vllm/vllm-openai" names no version`},
	{"image with the latest tag", "image: vllm/vllm-openai:v0.32.0", "image: vllm/vllm-openai:latest", `image "vllm/vllm-openai:latest" names no version`},
	{"runner's image without a tag", "image: vllmbench:dev\n    initContainers", "image: registry:5000/vllmbench\n    initContainers", `image "registry:5000/vllmbench" names no version`},
	{"variable of nowhere", "/results/$(RUN)/instances\n    - name", "/results/$(RUNS)/instances\n    - name", "the value of VLLMBENCH_RECORD names $(RUNS)"},
	{"key that is not there", "key: RUN\n", "key: ROUND\n", "ConfigMap load has no key ROUND"},
	{"argument of nowhere", "- /results/$(RUN)/merged\n", "- /results/$(ROUND)/merged\n", "an argument names $(ROUND)"},
	{"request over the limit", "limits:\n        cpu: \"2\"\n        memory: 2Gi\n      requests:\n        cpu: \"2\"", "limits:\n        cpu: \"2\"\n        memory: 2Gi\n      requests:\n        cpu: \"3\"", "requests more cpu than its limit"},
	{"arguments that break the initializer", "--out vllmbench", "--out=vllmbench", "write --out NAME"},
	{"monitor of no service", "port: http\n    scrapeTimeout", "port: web\n    scrapeTimeout", "there is no Service that it selects with a port web"},
	{"monitor of no pod", "port: metrics\n    scrapeTimeout", "port: metric\n    scrapeTimeout", "PodMonitor gpu: there is no pod"},
	{"service named vllm", "kind: Service\nmetadata:\n  labels:\n    app.kubernetes.io/name: server\n  name: server-pods", "kind: Service\nmetadata:\n  labels:\n    app.kubernetes.io/name: server\n  name: vllm", "VLLM_PORT"},
}

func TestBroken(t *testing.T) {
	whole, err := Build("../k8s/overlays/gpu-prometheus-operator")
	require.NoError(t, err)
	for _, b := range breaks {
		t.Run(b.name, func(t *testing.T) {
			var objects [][]byte
			changed := false
			for _, y := range whole {
				n := bytes.Replace(y, []byte(b.old), []byte(b.new), 1)
				changed = changed || !bytes.Equal(n, y)
				objects = append(objects, n)
			}
			require.True(t, changed, "nothing to break")
			read, err := Decode(objects)
			if err == nil {
				err = Check(read)
			}
			assert.ErrorContains(t, err, b.finds)
		})
	}
}

func TestBuildSaysWhatIsMissing(t *testing.T) {
	_, err := Build(t.TempDir())
	assert.ErrorContains(t, err, "unable to find one of 'kustomization.yaml'")
}

// TestScrapeConfiguration holds deploy/prometheus/containers.yml to Prometheus' own reader.
func TestScrapeConfiguration(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed: apt-get install prometheus")
	}
	for _, name := range []string{"containers.yml", "prometheus.yml"} {
		out, err := exec.Command(promtool, "check", "config", "../prometheus/"+name).CombinedOutput()
		assert.NoError(t, err, "%s", out)
	}
	broken := filepath.Join(t.TempDir(), "prometheus.yml")
	text, err := os.ReadFile("../prometheus/containers.yml")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(broken, bytes.Replace(text, []byte("names:"), []byte("name:"), 1), 0o600))
	assert.Error(t, exec.Command(promtool, "check", "config", broken).Run())
}
