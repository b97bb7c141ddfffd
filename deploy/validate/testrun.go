package validate

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var testRunVersion = schema.GroupVersion{Group: "k6.io", Version: "v1alpha1"}

// A TestRun is what k6-operator runs. Its types are not to be had as a module here, so these name, after its custom resource
// definition, the fields that deploy/k8s uses: any other is refused. What Kubernetes has types for is of those.
type TestRun struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              TestRunSpec `json:"spec"`
}

// TestRunSpec is what to run, in how many pods.
type TestRunSpec struct {
	Parallelism int32   `json:"parallelism"`
	Quiet       string  `json:"quiet,omitempty"`     // "true" or "false": k6 run --quiet
	Arguments   string  `json:"arguments,omitempty"` // of k6 run
	Script      Script  `json:"script"`
	Initializer *Runner `json:"initializer,omitempty"` // nil: as Runner
	Starter     Runner  `json:"starter"`
	Runner      Runner  `json:"runner"`
}

// A Script is a key of a ConfigMap, which every pod has under /test.
type Script struct {
	ConfigMap struct {
		Name string `json:"name"`
		File string `json:"file"`
	} `json:"configMap"`
}

// A Runner is one kind of pod of a TestRun.
type Runner struct {
	Image                        string                      `json:"image"`
	AutomountServiceAccountToken string                      `json:"automountServiceAccountToken,omitempty"` // "true" or "false"
	Metadata                     RunnerMetadata              `json:"metadata"`
	Affinity                     *corev1.Affinity            `json:"affinity,omitempty"`
	SecurityContext              corev1.PodSecurityContext   `json:"securityContext"`
	ContainerSecurityContext     corev1.SecurityContext      `json:"containerSecurityContext"`
	Resources                    corev1.ResourceRequirements `json:"resources"`
	InitContainers               []RunnerInit                `json:"initContainers,omitempty"`
	Env                          []corev1.EnvVar             `json:"env,omitempty"`
	EnvFrom                      []corev1.EnvFromSource      `json:"envFrom,omitempty"`
	Volumes                      []corev1.Volume             `json:"volumes,omitempty"`
	VolumeMounts                 []corev1.VolumeMount        `json:"volumeMounts,omitempty"`
}

// RunnerMetadata is that of a pod.
type RunnerMetadata struct {
	Labels map[string]string `json:"labels,omitempty"`
}

// A RunnerInit is a container before k6; it has no securityContext.
type RunnerInit struct {
	Name         string                      `json:"name"`
	Image        string                      `json:"image"`
	Env          []corev1.EnvVar             `json:"env,omitempty"`
	EnvFrom      []corev1.EnvFromSource      `json:"envFrom,omitempty"`
	Command      []string                    `json:"command,omitempty"`
	Args         []string                    `json:"args,omitempty"`
	VolumeMounts []corev1.VolumeMount        `json:"volumeMounts,omitempty"`
	Resources    corev1.ResourceRequirements `json:"resources"`
}

// DeepCopyObject is for runtime.Object; decoding never copies.
func (t *TestRun) DeepCopyObject() runtime.Object {
	c := *t
	return &c
}

// pod is the pod that r becomes, for the rules that all pods have.
func (r *Runner) pod() corev1.PodSpec {
	p := corev1.PodSpec{SecurityContext: &r.SecurityContext, Affinity: r.Affinity, Volumes: r.Volumes}
	for _, c := range r.InitContainers {
		p.InitContainers = append(p.InitContainers, corev1.Container{Name: c.Name, Image: c.Image, Command: c.Command, Args: c.Args,
			Env: c.Env, EnvFrom: c.EnvFrom, VolumeMounts: c.VolumeMounts, Resources: c.Resources})
	}
	p.Containers = []corev1.Container{{Name: "k6", Image: r.Image, Env: r.Env, EnvFrom: r.EnvFrom, Resources: r.Resources,
		VolumeMounts: r.VolumeMounts, SecurityContext: &r.ContainerSecurityContext}}
	return p
}
