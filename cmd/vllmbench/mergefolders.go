package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"vllmbench/internal/results"
)

// records finds the folders of records in dirs: a folder that is one, or all in it.
func records(dirs []string) (paths []string, err error) {
	for _, dir := range dirs {
		if isRecord(dir) {
			paths = append(paths, newest(dir))
			continue
		}
		found, err := recordsIn(dir)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s holds no record of an instance: name the folder that the instances wrote into", dir)
		}
		paths = append(paths, found...)
	}
	return paths, nil
}

// unfinished is how a record is called that has not ended well while its name is an older one's.
var unfinished = regexp.MustCompile(`^(.+)\.(new|old)-\d+$`)

// recordsIn are the instances' records in dir, of each name one.
func recordsIn(dir string) (paths []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot read the records: %w", err)
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if m := unfinished.FindStringSubmatch(e.Name()); m != nil && isRecord(filepath.Join(dir, m[1])) {
			continue // newest finds it by its name
		}
		if !isRecord(path) {
			continue
		}
		path = newest(path)
		if !isMerged(path) { // an earlier merge may lie among them
			paths = append(paths, path)
		}
	}
	return paths, nil
}

func isMerged(dir string) bool {
	run, err := results.Open(dir)
	if err != nil { // whoever reads it says so
		return false
	}
	defer run.Close()
	return run.Header.Merged != nil
}

func isRecord(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "run.jsonl"))
	return err == nil && info.Mode().IsRegular()
}

// newest is the last record that was begun under dir's name. One that was killed lies
// beside the older one, whose place it would have taken: that is of another load.
func newest(dir string) string {
	last := dir
	later, err := filepath.Glob(filepath.Clean(dir) + ".new-*")
	if err != nil { // the name is no pattern, so it has no sibling by one
		return dir
	}
	for _, path := range later {
		if begun(path) > begun(last) {
			last = path
		}
	}
	return last
}

// begun is when a run began, in nanoseconds since 1970; 0 if its folder does not tell.
func begun(dir string) int64 {
	run, err := results.Open(dir)
	if err != nil {
		return 0
	}
	defer run.Close()
	return run.Header.Started.UnixNano()
}

// sameFolder says whether a and b are one folder that exists.
func sameFolder(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}
