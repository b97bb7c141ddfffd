package results

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fields are the JSON names in t and all that it holds.
func fields(t reflect.Type) []string {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return fields(t.Elem())
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			return nil
		}
	default:
		return nil
	}
	var found []string
	for f := range t.Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			found = append(found, name)
		} else if f.IsExported() && !f.Anonymous {
			found = append(found, "(no JSON name) "+t.Name()+"."+f.Name)
		}
		found = append(found, fields(f.Type)...)
	}
	return found
}

// TestEveryFieldIsDocumented holds docs/results.md to the types: each field
// has its line in the section of its file.
func TestEveryFieldIsDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "results.md"))
	require.NoError(t, err)
	sections := map[string]string{}
	for _, s := range strings.Split(string(text), "\n## ")[1:] {
		title, body, _ := strings.Cut(s, "\n")
		sections[title] = body
	}
	for title, names := range map[string][]string{
		"run.jsonl":         fields(reflect.TypeFor[line]()),
		"requests.jsonl.gz": fields(reflect.TypeFor[request]()),
		"NAME_metrics.json": fields(reflect.TypeFor[metricsFile]()),
		"CSV files":         columns,
	} {
		require.NotEmpty(t, names)
		for _, name := range names {
			assert.Contains(t, sections[title], "`"+name+"`", "docs/results.md, section %s", title)
		}
	}
	for _, table := range tables {
		assert.Contains(t, sections["CSV files"], "`"+table.file+"`")
	}
}
