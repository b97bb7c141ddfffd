package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// A file is one that a report consists of.
type file struct {
	name string
	data []byte
}

// Write writes report.html, report.md and the pictures into dir, which it makes
// if need be, and returns their paths. Everything is made and lies beside its
// place before the first of them takes it.
func (r *Report) Write(dir string) ([]string, error) {
	pictures, err := r.pictures()
	if err != nil {
		return nil, err
	}
	svgs := map[string][]byte{}
	for _, p := range pictures {
		if id, ok := strings.CutSuffix(p.name, ".svg"); ok {
			svgs[id] = p.data
		}
	}
	var page, text bytes.Buffer
	if err := r.HTML(&page, svgs); err != nil {
		return nil, err
	}
	if err := r.Markdown(&text); err != nil {
		return nil, err
	}
	files := append([]file{{"report.html", page.Bytes()}, {"report.md", text.Bytes()}}, pictures...)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("writing the report: %w: name a folder that can be written with -o", err)
	}
	return put(dir, files)
}

// pictures draws every figure, and of each run's requests those of its largest batch.
func (r *Report) pictures() (out []file, err error) {
	add := func(id, format string, draw func(io.Writer, string) error) {
		var picture bytes.Buffer
		if e := draw(&picture, format); e != nil {
			err = errors.Join(err, fmt.Errorf("drawing %s.%s: %w", id, format, e))
		}
		out = append(out, file{id + "." + format, picture.Bytes()})
	}
	for _, format := range []string{"svg", "png"} {
		for _, f := range r.figures {
			add(f.ID, format, f.Draw)
		}
		for _, t := range r.timelines {
			add(t.ID(), format, t.Draw)
		}
	}
	return out, err
}

// put writes all files beside where they belong, then renames them.
func put(dir string, files []file) (paths []string, err error) {
	var beside []string
	defer func() {
		for _, path := range beside {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	for _, f := range files {
		path := filepath.Join(dir, fmt.Sprintf(".%s.tmp-%d", f.name, os.Getpid()))
		if err := os.WriteFile(path, f.data, 0o666); err != nil {
			return nil, errors.Join(fmt.Errorf("writing the report: %w: name a folder that can be written with -o", err), ignoreMissing(os.Remove(path)))
		}
		beside = append(beside, path)
	}
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if err := os.Rename(beside[0], path); err != nil {
			return paths, fmt.Errorf("writing the report: %w", err)
		}
		beside = beside[1:]
		paths = append(paths, path)
	}
	return paths, nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
