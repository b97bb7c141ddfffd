// Package vllmbench_test guards what no package can guard alone.
package vllmbench_test

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "vllmbench"

// mayImport says of each package which others of this module it may import.
// Data goes one way, prompt -> load -> client -> measure -> results -> report,
// so imports go only downward:
//
//	bench    cmd/vllmbench
//	report -> figure -> answers    compare    calibrate    fit    fleet    merge    ab    progress
//	results
//	measure  load  monitor
//	client  engine  gpuprobe  prompt  vllmsim -> roofline  secret  trust
var mayImport = map[string][]string{
	"bench":         {"client", "gpuprobe", "internal/capacity", "internal/engine", "internal/lengths", "internal/load", "internal/measure", "internal/prompt", "internal/progress", "internal/results", "internal/roofline", "internal/scrape", "internal/slo", "internal/trace", "internal/trust", "internal/vllmsim"},
	"cmd/vllmbench": {"client", "internal/ab", "internal/answers", "internal/calibrate", "internal/compare", "internal/figure", "internal/fit", "internal/fleet", "internal/merge", "internal/monitor", "internal/push", "internal/report", "internal/results", "internal/series", "internal/trust", "internal/vllmsim"},

	"internal/report":    {"internal/answers", "internal/figure", "internal/measure", "internal/numeral", "internal/results"},
	"internal/figure":    {"client", "internal/answers", "internal/measure", "internal/numeral", "internal/results", "internal/slo"},
	"internal/answers":   {"client", "internal/engine", "internal/measure", "internal/numeral", "internal/results", "internal/roofline"},
	"internal/calibrate": {"client", "internal/load", "internal/measure", "internal/numeral"},
	"internal/compare":   {"internal/measure", "internal/numeral", "internal/results"},
	"internal/fleet":     {"internal/load", "internal/slo", "internal/vllmsim"},
	"internal/fit":       {"internal/engine", "internal/measure", "internal/results", "internal/vllmsim"},
	"internal/merge":     {"client", "internal/engine", "internal/measure", "internal/results", "internal/slo"},
	"internal/monitor":   {"gpuprobe", "internal/engine", "internal/trust"},
	"internal/scrape":    {"client", "gpuprobe", "internal/measure", "internal/series"},
	"internal/push":      {"internal/secret", "internal/series", "internal/trust"},
	"internal/series":    {"internal/measure", "internal/results"},
	"internal/results":   {"client", "internal/engine", "internal/measure", "internal/roofline"},
	"internal/measure":   {"client", "gpuprobe", "internal/engine", "internal/roofline", "internal/slo"},
	"internal/load":      {"client", "internal/prompt"},
	"internal/trace":     {"internal/numeral", "internal/prompt"},
	"internal/slo":       {"client"},
	"internal/vllmsim":   {"internal/roofline"},

	"client":            {"internal/secret"},
	"internal/ab":       {"internal/trust"},
	"internal/progress": {"internal/numeral"},
	"internal/secret":   nil,
	"internal/trust":    nil,
	"gpuprobe":          {"internal/trust"},
	"internal/engine":   {"internal/secret", "internal/trust"},
	"internal/capacity": nil,
	"internal/numeral":  nil,
	"internal/lengths":  nil,
	"internal/prompt":   nil,
	"internal/roofline": nil,
}

// testsMayImport is what tests may import besides.
var testsMayImport = map[string][]string{
	"bench":             {"internal/ab", "internal/answers"},
	"internal/capacity": {"internal/vllmsim"},
	"cmd/vllmbench":     {"client", "internal/measure"},
	"internal/report":   {"client"},
}

// A pkg is what go list tells of one package.
type pkg struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

func (p pkg) name() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

// packages lists all packages of this module as they are built in one environment.
func packages(t *testing.T, env ...string) (all []pkg) {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	cmd.Env = append(os.Environ(), env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	list := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		err := list.Decode(&p)
		if err == io.EOF {
			return all
		}
		require.NoError(t, err)
		if p.ImportPath != module { // this test
			all = append(all, p)
		}
	}
}

func TestImports(t *testing.T) {
	for _, env := range [][]string{
		{"GOOS=linux", "CGO_ENABLED=1"}, {"GOOS=linux", "CGO_ENABLED=0"}, {"GOOS=darwin", "CGO_ENABLED=0"}, {"GOOS=windows", "CGO_ENABLED=0"},
	} {
		t.Run(strings.Join(env, " "), func(t *testing.T) {
			t.Parallel()
			all := packages(t, env...)
			require.NotEmpty(t, all)
			for _, p := range all {
				check(t, p)
			}
		})
	}
}

func check(t *testing.T, p pkg) {
	t.Helper()
	allowed, ok := mayImport[p.name()]
	if !ok {
		t.Errorf("package %s is new: say in mayImport what it may import", p.name())
		return
	}
	for _, name := range beyond(p.Imports, allowed) {
		t.Errorf("%s imports %s, which mayImport does not allow", p.name(), name)
	}
	for _, name := range beyond(slices.Concat(p.TestImports, p.XTestImports), slices.Concat(allowed, testsMayImport[p.name()], []string{p.name()})) {
		t.Errorf("a test of %s imports %s, which neither mayImport nor testsMayImport allows", p.name(), name)
	}
	if slices.Contains(p.Imports, "testing") {
		t.Errorf("%s imports testing outside its tests", p.name())
	}
}

// beyond returns those of this module's packages in imports that are not allowed.
func beyond(imports, allowed []string) (out []string) {
	for _, path := range imports {
		name, ours := strings.CutPrefix(path, module+"/")
		if ours && !slices.Contains(allowed, name) {
			out = append(out, name)
		}
	}
	return out
}

// TestNoCycleInTable makes sure that the table itself goes downward.
func TestNoCycleInTable(t *testing.T) {
	var visit func(name string, path []string)
	visit = func(name string, path []string) {
		require.NotContains(t, path, name, "mayImport has a cycle: %s", strings.Join(append(path, name), " -> "))
		for _, next := range mayImport[name] {
			require.Contains(t, mayImport, next)
			visit(next, append(path, name))
		}
	}
	for name := range mayImport {
		visit(name, nil)
	}
}
