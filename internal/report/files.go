package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"vllmbench/internal/figure"
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
	svgs, err := r.pictures("svg")
	if err != nil {
		return nil, err
	}
	pngs, err := r.pictures("png")
	if err != nil {
		return nil, err
	}
	var page, text bytes.Buffer
	if err := r.HTML(&page, svgs); err != nil {
		return nil, err
	}
	if err := r.Markdown(&text); err != nil {
		return nil, err
	}
	files := []file{{"report.html", page.Bytes()}, {"report.md", text.Bytes()}}
	for _, id := range r.drawn() {
		files = append(files, file{id + ".svg", svgs[id]}, file{id + ".png", pngs[id]})
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("writing the report: %w: name a folder that can be written with -o", err)
	}
	return put(dir, files)
}

// drawn are the IDs of all pictures, in their order.
func (r *Report) drawn() (ids []string) {
	for _, f := range r.pictured() {
		ids = append(ids, f.ID)
	}
	for _, t := range r.timelines {
		ids = append(ids, t.ID())
	}
	return ids
}

// pictured are the figures that become pictures: of the cells' distributions
// those that the page shows first. It draws the others when they are chosen.
func (r *Report) pictured() []figure.Figure {
	places := r.plots()
	return slices.DeleteFunc(slices.Clone(r.figures), func(f figure.Figure) bool {
		return f.Group != "" && !overTime(f) && !slices.ContainsFunc(places, func(p *plot) bool { return p.ID == f.ID })
	})
}

// pictures draws these figures, and of each run's requests those of its largest
// batch, in one format. They are by ID.
func (r *Report) pictures(format string) (map[string][]byte, error) {
	var errs error
	all := map[string][]byte{}
	draw := func(id string, draw func(io.Writer, string) error) {
		var picture bytes.Buffer
		if err := draw(&picture, format); err != nil {
			errs = errors.Join(errs, fmt.Errorf("drawing %s.%s: %w", id, format, err))
		}
		all[id] = picture.Bytes()
	}
	for _, f := range r.pictured() {
		draw(f.ID, f.Draw)
	}
	for _, t := range r.timelines {
		draw(t.ID(), t.Draw)
	}
	return all, errs
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
