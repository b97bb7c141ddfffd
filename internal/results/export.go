package results

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Export writes what is derived from runs into dir, which it makes if need be:
// NAME_metrics.json for each run and the CSV files of WriteCSV over all. Every
// file replaces the older one at once when it is whole. Two runs of one name are an
// error. It returns the paths written.
func Export(dir string, runs []*Run) ([]string, error) {
	names := map[string]bool{}
	for _, r := range runs {
		if names[r.Name] {
			return nil, fmt.Errorf("two runs are named %s: rename the folder of one", r.Name)
		}
		names[r.Name] = true
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("exporting into %s: %w", dir, err)
	}
	paths, err := WriteCSV(dir, runs)
	if err != nil {
		return paths, err
	}
	for _, r := range runs {
		path := filepath.Join(dir, r.Name+"_metrics.json")
		if err := replace(path, func(w io.Writer) error { return WriteMetricsJSON(w, r) }); err != nil {
			return paths, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// replace writes a file beside path, then gives it that name.
func replace(path string, write func(io.Writer) error) error {
	beside := fmt.Sprintf("%s.tmp-%d", path, os.Getpid())
	f, err := os.Create(beside)
	if err != nil {
		return fmt.Errorf("exporting: %w", err)
	}
	w := bufio.NewWriter(f)
	err = errors.Join(write(w), w.Flush(), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(beside, path)
	}
	if err != nil {
		return fmt.Errorf("exporting %s: %w", path, errors.Join(err, os.Remove(beside)))
	}
	return nil
}
