// Package validate checks the manifests of deploy/ without a cluster: each object against the published Go types of its API,
// and all of them against each other.
//
// It is a module of its own, so that nobody who measures has to carry Kubernetes' modules.
package validate

import (
	"bytes"
	"fmt"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// Build runs kustomize on dir, as kubectl apply -k does, and returns the YAML of each object.
func Build(dir string) ([][]byte, error) {
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return nil, fmt.Errorf("kustomize %s: %w", dir, err)
	}
	var objects [][]byte
	for _, r := range built.Resources() {
		y, err := r.AsYAML()
		if err != nil {
			return nil, err
		}
		objects = append(objects, y)
	}
	return objects, nil
}

// Decode reads YAML objects strictly: a kind that no API has, an unknown or repeated field and a value of the wrong type are errors.
func Decode(objects [][]byte) ([]runtime.Object, error) {
	scheme := runtime.NewScheme()
	utilruntime.Must(corev1.AddToScheme(scheme))
	utilruntime.Must(appsv1.AddToScheme(scheme))
	utilruntime.Must(batchv1.AddToScheme(scheme))
	utilruntime.Must(monitoringv1.AddToScheme(scheme))
	scheme.AddKnownTypes(testRunVersion, &TestRun{})
	decoder := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{Yaml: true, Strict: true})
	var decoded []runtime.Object
	for _, y := range objects {
		o, _, err := decoder.Decode(y, nil, nil)
		if err != nil {
			head, _, _ := bytes.Cut(y, []byte("spec:"))
			return nil, fmt.Errorf("object %q: %w", bytes.TrimSpace(head), err)
		}
		decoded = append(decoded, o)
	}
	return decoded, nil
}
