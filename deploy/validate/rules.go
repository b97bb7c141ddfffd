package validate

import (
	"errors"
	"fmt"
	"strings"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"
)

// A set is what is applied together, and what is wrong with it.
type set struct {
	configMaps map[string]map[string]bool // name to keys
	claims     map[string]bool
	pods       []pod
	services   []*corev1.Service
	runs       []*TestRun
	errs       []error
}

// A pod is what an object makes pods of.
type pod struct {
	of     string
	labels map[string]string
	spec   *corev1.PodSpec
	ports  map[string]bool // by name
}

func (s *set) wrong(format string, args ...any) { s.errs = append(s.errs, fmt.Errorf(format, args...)) }

// Check returns all that does not fit together: references to what is not there, selectors that select nothing,
// images without a version, volumes that nobody mounts.
func Check(objects []runtime.Object) error {
	s := &set{configMaps: map[string]map[string]bool{}, claims: map[string]bool{}}
	for _, o := range objects {
		s.add(o)
	}
	for _, p := range s.pods {
		s.pod(p.of, p.spec)
	}
	for _, service := range s.services {
		s.service(service)
	}
	for _, r := range s.runs {
		s.testRun(r)
	}
	for _, o := range objects {
		s.monitor(o)
	}
	return errors.Join(s.errs...)
}

// add keeps what others refer to, and checks o's own labels.
func (s *set) add(o runtime.Object) {
	meta := o.(metav1.Object)
	of := fmt.Sprintf("%T %s", o, meta.GetName())
	of = of[strings.IndexByte(of, '.')+1:]
	for _, e := range validation.IsDNS1123Label(meta.GetName()) {
		s.wrong("%s: %s", of, e)
	}
	switch o := o.(type) {
	case *corev1.ConfigMap:
		keys := map[string]bool{}
		for k := range o.Data {
			keys[k] = true
		}
		s.configMaps[o.Name] = keys
	case *corev1.PersistentVolumeClaim:
		s.claims[o.Name] = true
	case *corev1.Service:
		s.services = append(s.services, o)
	case *corev1.Pod:
		s.addPod(of, o.Labels, &o.Spec)
	case *appsv1.Deployment:
		s.template(of, o.Spec.Selector, &o.Spec.Template)
	case *appsv1.DaemonSet:
		s.template(of, o.Spec.Selector, &o.Spec.Template)
	case *batchv1.Job:
		s.addPod(of, o.Spec.Template.Labels, &o.Spec.Template.Spec)
	case *TestRun:
		s.runs = append(s.runs, o)
		runner := o.Spec.Runner.pod()
		s.addPod(of+", runner", o.Spec.Runner.Metadata.Labels, &runner)
		starter := o.Spec.Starter.pod()
		s.addPod(of+", starter", nil, &starter)
		if o.Spec.Initializer != nil {
			initializer := o.Spec.Initializer.pod()
			s.addPod(of+", initializer", nil, &initializer)
		}
	}
}

func (s *set) addPod(of string, set map[string]string, spec *corev1.PodSpec) {
	ports := map[string]bool{}
	for _, c := range spec.Containers {
		for _, p := range c.Ports {
			ports[p.Name] = true
		}
	}
	s.pods = append(s.pods, pod{of, set, spec, ports})
}

func (s *set) template(of string, selector *metav1.LabelSelector, t *corev1.PodTemplateSpec) {
	if sel, err := metav1.LabelSelectorAsSelector(selector); err != nil || !sel.Matches(labels.Set(t.Labels)) {
		s.wrong("%s: its selector does not select its own pods", of)
	}
	s.addPod(of, t.Labels, &t.Spec)
}

func (s *set) service(service *corev1.Service) {
	of := "Service " + service.Name
	var selected []pod
	for _, p := range s.pods {
		if labels.SelectorFromSet(service.Spec.Selector).Matches(labels.Set(p.labels)) && len(service.Spec.Selector) > 0 {
			selected = append(selected, p)
		}
	}
	if len(selected) == 0 {
		s.wrong("%s: its selector selects no pod", of)
	}
	for _, port := range service.Spec.Ports {
		for _, p := range selected {
			if !p.ports[port.TargetPort.String()] {
				s.wrong("%s: port %s goes to %s, which %s does not name", of, port.Name, port.TargetPort.String(), p.of)
			}
		}
	}
	if service.Name == "vllm" {
		s.wrong("%s: its name makes Kubernetes set VLLM_PORT, which vLLM reads as its own", of)
	}
}

func (s *set) testRun(r *TestRun) {
	of := "TestRun " + r.Name
	if m := r.Spec.Script.ConfigMap; !s.configMaps[m.Name][m.File] {
		s.wrong("%s: ConfigMap %s has no key %s", of, m.Name, m.File)
	}
	if r.Spec.Parallelism < 1 {
		s.wrong("%s: parallelism is %d", of, r.Spec.Parallelism)
	}
	// The operator drops --out and what follows from the arguments of k6 archive, but not --out=NAME.
	if strings.Contains(r.Spec.Arguments, "--out=") {
		s.wrong("%s: write --out NAME: with --out=NAME the initializer fails", of)
	}
}

// monitor checks that what the Prometheus operator is to scrape is there.
func (s *set) monitor(o runtime.Object) {
	switch o := o.(type) {
	case *monitoringv1.ServiceMonitor:
		for _, e := range o.Spec.Endpoints {
			found := false
			for _, service := range s.services {
				for _, p := range service.Spec.Ports {
					found = found || p.Name == e.Port && selects(o.Spec.Selector, service.Labels)
				}
			}
			if !found {
				s.wrong("ServiceMonitor %s: there is no Service that it selects with a port %s", o.Name, e.Port)
			}
		}
	case *monitoringv1.PodMonitor:
		for _, e := range o.Spec.PodMetricsEndpoints {
			found := false
			for _, p := range s.pods {
				found = found || e.Port != nil && p.ports[*e.Port] && selects(o.Spec.Selector, p.labels)
			}
			if !found {
				s.wrong("PodMonitor %s: there is no pod that it selects with the port it names", o.Name)
			}
		}
	}
}

func selects(selector metav1.LabelSelector, set map[string]string) bool {
	s, err := metav1.LabelSelectorAsSelector(&selector)
	return err == nil && !s.Empty() && s.Matches(labels.Set(set))
}
