package validate

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// tagged is an image with a tag that names one version, or a digest.
var tagged = regexp.MustCompile(`^[^:@]+(:\d+/[^:@]+)?(:[\w][\w.-]*|@sha256:[0-9a-f]{64})$`)

// variable is a reference that Kubernetes replaces in arguments and values.
var variable = regexp.MustCompile(`\$\((\w+)\)`)

// pod checks one pod for itself and against what it refers to.
func (s *set) pod(of string, p *corev1.PodSpec) {
	volumes := map[string]corev1.Volume{}
	for _, v := range p.Volumes {
		volumes[v.Name] = v
		if c := v.ConfigMap; c != nil && s.configMaps[c.Name] == nil {
			s.wrong("%s: volume %s: there is no ConfigMap %s", of, v.Name, c.Name)
		}
		if c := v.PersistentVolumeClaim; c != nil && !s.claims[c.ClaimName] {
			s.wrong("%s: volume %s: there is no PersistentVolumeClaim %s", of, v.Name, c.ClaimName)
		}
	}
	mounted := map[string]bool{}
	for _, c := range slices.Concat(p.InitContainers, p.Containers) {
		of := of + ", container " + c.Name
		s.container(of, &c)
		for _, m := range c.VolumeMounts {
			mounted[m.Name] = true
			v, ok := volumes[m.Name]
			if !ok {
				s.wrong("%s: mounts %s, which is no volume of the pod", of, m.Name)
			}
			if m.SubPath != "" && v.ConfigMap != nil && !s.configMaps[v.ConfigMap.Name][m.SubPath] {
				s.wrong("%s: mounts %s of ConfigMap %s, which has no such key", of, m.SubPath, v.ConfigMap.Name)
			}
		}
	}
	for name := range volumes {
		if !mounted[name] {
			s.wrong("%s: volume %s is mounted by no container", of, name)
		}
	}
}

func (s *set) container(of string, c *corev1.Container) {
	for _, e := range validation.IsDNS1123Label(c.Name) {
		s.wrong("%s: name: %s", of, e)
	}
	if !tagged.MatchString(c.Image) || strings.HasSuffix(c.Image, ":latest") {
		s.wrong("%s: image %q names no version", of, c.Image)
	}
	for name, limit := range c.Resources.Limits {
		if request, ok := c.Resources.Requests[name]; ok && request.Cmp(limit) > 0 {
			s.wrong("%s: requests more %s than its limit", of, name)
		}
	}
	s.variables(of, c)
	ports := map[string]bool{}
	for _, p := range c.Ports {
		ports[p.Name] = true
	}
	for _, p := range []*corev1.Probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
		if p != nil && p.HTTPGet != nil && !ports[p.HTTPGet.Port.String()] {
			s.wrong("%s: a probe asks port %s, which the container does not name", of, p.HTTPGet.Port.String())
		}
	}
}

// variables checks where the environment comes from, and the references to it: a value may name what stands before it
// in env, an argument what is in envFrom too.
func (s *set) variables(of string, c *corev1.Container) {
	known, all := map[string]bool{}, map[string]bool{}
	for _, from := range c.EnvFrom {
		if from.ConfigMapRef == nil {
			continue
		}
		keys := s.configMaps[from.ConfigMapRef.Name]
		if keys == nil {
			s.wrong("%s: envFrom: there is no ConfigMap %s", of, from.ConfigMapRef.Name)
		}
		for k := range keys {
			all[k] = true
		}
	}
	check := func(where, text string, have map[string]bool) {
		for _, m := range variable.FindAllStringSubmatch(text, -1) {
			if !have[m[1]] {
				s.wrong("%s: %s names $(%s), which is not in its environment", of, where, m[1])
			}
		}
	}
	for _, e := range c.Env {
		if from := e.ValueFrom; from != nil && from.ConfigMapKeyRef != nil && !s.configMaps[from.ConfigMapKeyRef.Name][from.ConfigMapKeyRef.Key] {
			s.wrong("%s: %s: ConfigMap %s has no key %s", of, e.Name, from.ConfigMapKeyRef.Name, from.ConfigMapKeyRef.Key)
		}
		check(fmt.Sprintf("the value of %s", e.Name), e.Value, known)
		known[e.Name], all[e.Name] = true, true
	}
	for _, a := range slices.Concat(c.Command, c.Args) {
		check("an argument", a, all)
	}
}
