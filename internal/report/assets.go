package report

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"slices"
	"strings"
)

//go:embed templates assets
var embedded embed.FS

// Script and styles of the page, in the order in which they stand in it.
var (
	scriptFiles = []string{"format.js", "draw.js", "plot.js", "timeline.js", "page.js"}
	styleFiles  = []string{"uplot/uPlot.min.css", "style.css", "print.css"}
)

// The library that draws axes, cursor and zoom, and its licence.
const (
	libraryFile = "uplot/uPlot.iife.min.js"
	licenceFile = "uplot/LICENSE"
)

func asset(names ...string) (string, error) {
	var all strings.Builder
	for _, name := range names {
		text, err := embedded.ReadFile("assets/" + name)
		if err != nil {
			return "", err
		}
		all.Write(text)
		all.WriteByte('\n')
	}
	return all.String(), nil
}

// policy forbids the page every request and every script but those given: text
// that got into the page by a mistake would not run either.
func policy(scripts ...string) string {
	hashes := make([]string, len(scripts))
	for i, script := range scripts {
		sum := sha256.Sum256([]byte(script))
		hashes[i] = "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'; script-src " + strings.Join(hashes, " ")
}

// functions are those of the page's templates.
var functions = template.FuncMap{
	"anchor": anchor,
	"clean":  Clean,
	"colour": func(run int) int { return run % colours },
	"exact":  func(v float64) string { return count(int(v)) },
	"list":   func(names []string) string { return strings.Join(cleaned(names), ", ") },
	"num":    number,
	"pack":   func(p *page, item any) packed { return packed{p, item} },
	"upper":  func(s string) string { return strings.ToUpper(Clean(s)) },
	"whole":  count,
}

// colours is how many colours runs have; then they repeat, with another dash.
const colours = 6

// A packed is a part of the page with the page that it is in.
type packed struct {
	Page *page
	Item any
}

// anchor is the id of a metric's definition.
func anchor(metric string) string {
	return "metric-" + strings.Map(func(r rune) rune {
		if r < 128 && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9') {
			return r
		}
		return '-'
	}, metric)
}

func cleaned(names []string) []string {
	out := slices.Clone(names)
	for i := range out {
		out[i] = Clean(out[i])
	}
	return out
}

func parse() (*template.Template, error) {
	t, err := template.New("page.html").Funcs(functions).ParseFS(embedded, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("reading the page's templates: %w", err)
	}
	return t, nil
}
