package results

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A folder is a run's name in the file system, held by one writer at a time:
//
//	DIR          the run, once it ended well or if DIR was free
//	DIR.new-N    a run that has not ended well, while DIR holds another
//	DIR.old-N    the run that was in DIR, for the moment of its replacement
//	DIR.lock     held by the writer; dead once its process is
type folder struct {
	dir   string // absolute
	stage string // where the run is: dir or dir.new-N
	lock  *os.File
}

// claim locks dir and makes the folder that the run is written into.
func claim(dir string) (*folder, error) {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real // rename would replace the link, not the folder
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o777); err != nil {
		return nil, err
	}
	lock, err := acquire(dir + ".lock")
	if err != nil {
		return nil, err
	}
	f := &folder{dir: dir, lock: lock}
	if err := f.open(); err != nil {
		return nil, errors.Join(err, release(lock))
	}
	return f, nil
}

// open chooses the stage and makes it.
func (f *folder) open() error {
	if err := f.restore(); err != nil {
		return err
	}
	f.stage = f.dir
	names, err := contents(f.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && len(names) == 0:
	case err != nil:
		return err
	default:
		if i := slices.IndexFunc(names, foreign); i >= 0 {
			return fmt.Errorf("it holds %s, which is no file of a run: name an empty folder", names[i])
		}
		f.stage = f.sibling("new")
	}
	if err := os.MkdirAll(f.stage, 0o777); err != nil {
		return err
	}
	return syncDir(filepath.Dir(f.dir))
}

// restore puts the older run back if its replacement was killed half-way.
func (f *folder) restore() error {
	if _, err := os.Lstat(f.dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	old := siblings(f.dir, "old")
	if len(old) == 0 {
		return nil
	}
	return os.Rename(old[0], f.dir)
}

// settle puts the run in place of what dir holds, removes what killed runs
// under that name left beside it, and frees the name.
func (f *folder) settle() error {
	err := f.swap()
	if err == nil {
		for _, left := range slices.Concat(siblings(f.dir, "new"), siblings(f.dir, "old")) {
			err = errors.Join(err, removeRun(left))
		}
	}
	return errors.Join(err, release(f.lock))
}

func (f *folder) swap() error {
	if f.stage == f.dir {
		return nil
	}
	// With dir in place an earlier DIR.old-N is surely replaced. It goes first:
	// restore must find no other than the last.
	for _, left := range siblings(f.dir, "old") {
		if err := removeRun(left); err != nil {
			return err
		}
	}
	old := f.sibling("old")
	if err := os.Rename(f.dir, old); err != nil {
		return err
	}
	if err := os.Rename(f.stage, f.dir); err != nil {
		return errors.Join(err, os.Rename(old, f.dir))
	}
	f.stage = f.dir
	return syncDir(filepath.Dir(f.dir))
}

// sibling is a name beside dir that nobody has had: only the holder of the lock makes them.
func (f *folder) sibling(kind string) string {
	return f.dir + "." + kind + "-" + strconv.FormatInt(time.Now().UnixNano(), 10)
}

// siblings are the folders DIR.kind-N beside dir that hold files of a run and nothing else.
func siblings(dir, kind string) []string {
	all, err := contents(filepath.Dir(dir))
	if err != nil {
		return nil
	}
	var found []string
	for _, name := range all {
		n, ok := strings.CutPrefix(name, filepath.Base(dir)+"."+kind+"-")
		if _, err := strconv.ParseUint(n, 10, 64); !ok || err != nil {
			continue
		}
		path := filepath.Join(filepath.Dir(dir), name)
		if names, err := contents(path); err == nil && !slices.ContainsFunc(names, foreign) {
			found = append(found, path)
		}
	}
	return found
}

// contents are the names in a folder, sorted.
func contents(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

// foreign says whether a file of that name is no part of a run.
func foreign(name string) bool { return name != runFile && name != requestsFile }

// removeRun removes the files of a run, then their folder: nothing that is not ours can go with it.
func removeRun(dir string) error {
	for _, name := range []string{runFile, requestsFile} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return os.Remove(dir)
}
