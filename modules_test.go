package vllmbench_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestModulesHaveReasons holds the list of docs/security.md to what is imported.
func TestModulesHaveReasons(t *testing.T) {
	out, err := exec.Command("go", "mod", "edit", "-json").Output()
	require.NoError(t, err)
	var file struct {
		Require []struct{ Path string }
		Tool    []struct{ Path string }
	}
	require.NoError(t, json.Unmarshal(out, &file))
	var imports []string
	for _, tool := range file.Tool {
		imports = append(imports, tool.Path)
	}
	for _, env := range [][]string{{"GOOS=linux", "CGO_ENABLED=1"}, {"GOOS=darwin", "CGO_ENABLED=0"}, {"GOOS=windows", "CGO_ENABLED=0"}} {
		for _, p := range packages(t, env...) {
			imports = slices.Concat(imports, p.Imports, p.TestImports, p.XTestImports)
		}
	}
	imported := map[string]bool{}
	for _, path := range imports {
		for _, m := range file.Require {
			if path == m.Path || strings.HasPrefix(path, m.Path+"/") {
				imported[m.Path] = true
			}
		}
	}
	text, err := os.ReadFile("docs/security.md")
	require.NoError(t, err)
	_, list, found := strings.Cut(string(text), "\n## Modules\n")
	require.True(t, found)
	listed := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| \\S").FindAllStringSubmatch(list, -1) {
		listed[m[1]] = true
	}
	assert.Equal(t, imported, listed)
}
