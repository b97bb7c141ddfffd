package results

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/perf/benchfmt"

	"vllmbench/client"
)

// A Run is a saved run.
type Run struct {
	Name     string // the base name of its folder
	Header   Header
	Rows     []Row
	GPU      []GPUSample // in the order of time; none if no GPU was watched
	Complete bool        // it ended, and well
	Warnings []string    // what is missing or damaged; a sentence each
	// Text says that the run was read from the text of go test -bench, which
	// keeps the values of its rows and little else. Units is what that text
	// says of its units; nil for a folder.
	Text  bool
	Units benchfmt.UnitMetadataMap

	requests *os.File // nil if the folder has none
}

// Open reads the run in dir: of one that was killed, all that is whole, with a
// warning for the rest. A folder without a header or of a newer schema is an error.
// The caller closes the run.
func Open(dir string) (*Run, error) {
	root, warning, err := openRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot read the run: %w", err)
	}
	defer root.Close()
	f, err := root.Open(runFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s holds no run: it has no %s", dir, runFile)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the run in %s: %w", dir, err)
	}
	defer f.Close()
	run, err := read(f)
	if err != nil {
		return nil, fmt.Errorf("cannot read the run in %s: %w", dir, err)
	}
	if warning != "" {
		run.warn("%s", warning)
	}
	if run.Name, err = baseName(dir); err != nil {
		return nil, err
	}
	if err := run.attach(root); err != nil {
		return nil, fmt.Errorf("cannot read the run in %s: %w", dir, err)
	}
	run.clean()
	return run, nil
}

// openRoot opens dir, or what was in dir if a kill in the middle of its
// replacement left nothing there. A root stays the same folder through a rename.
func openRoot(dir string) (root *os.Root, warning string, err error) {
	root, err = os.OpenRoot(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return root, "", err
	}
	old := siblings(filepath.Clean(dir), "old")
	if len(old) == 0 {
		return nil, "", err
	}
	root, err = os.OpenRoot(old[0])
	return root, fmt.Sprintf("the run was about to be replaced and lies in %s", old[0]), err
}

func baseName(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	return filepath.Base(abs), err
}

// attach opens the file of requests and checks that it holds those of every row.
func (r *Run) attach(root *os.Root) error {
	f, err := root.Open(requestsFile)
	if errors.Is(err, fs.ErrNotExist) {
		r.warn("there is no %s: rows are here, their requests are not", requestsFile)
		return nil
	}
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	for i, row := range r.Rows {
		if row.Requests.Offset+row.Requests.Bytes > info.Size() {
			r.warn("%s is cut off: from row %d on, requests are missing", requestsFile, i+1)
			break
		}
	}
	r.requests = f
	return nil
}

// Close frees the run's file of requests.
func (r *Run) Close() error {
	if r.requests == nil {
		return nil
	}
	return r.requests.Close()
}

// Requests yields the requests of row i, counted from 0; of a text, none. If they are cut off
// or damaged, it yields those that are whole, then an error and no request;
// the error is ErrCut if they are cut off.
func (r *Run) Requests(i int) iter.Seq2[client.Result, error] {
	return func(yield func(client.Result, error) bool) {
		if r.Text {
			return
		}
		span, n, more := r.Rows[i].Requests, 0, true
		err := ErrCut
		if r.requests != nil {
			err = decodeRequests(io.NewSectionReader(r.requests, span.Offset, span.Bytes), func(res client.Result) bool {
				n++
				res.Error, res.FinishReason = oneLine(res.Error), oneLine(res.FinishReason)
				more = yield(res, nil)
				return more
			})
		}
		if err == nil && n < span.Count {
			err = ErrCut
		}
		if more && err != nil {
			yield(client.Result{}, fmt.Errorf("row %d of run %s: %d of %d requests are whole: %w", i+1, r.Name, n, span.Count, err))
		}
	}
}

// read reads run.jsonl.
func read(f io.Reader) (*Run, error) {
	run := &Run{}
	lines := bufio.NewReader(f)
	for n := 1; ; n++ {
		text, err := lines.ReadBytes('\n')
		last := err == io.EOF
		if err != nil && !last {
			return nil, err
		}
		if n == 1 {
			if err := run.begin(text); err != nil {
				return nil, err
			}
		} else if len(text) > 0 {
			run.add(n, text, last)
		}
		if last {
			break
		}
	}
	if !run.Complete {
		run.warn("the run did not end well: %d rows are saved", len(run.Rows))
	}
	if m := run.Header.Merged; m != nil {
		run.Warnings = append(run.Warnings, m.Lost...)
	}
	return run, nil
}

// begin takes the first line. It reads the version before anything else,
// since of a newer schema nothing else is known.
func (r *Run) begin(text []byte) error {
	var first struct {
		Header *struct {
			SchemaVersion int `json:"schema_version"`
		} `json:"header"`
	}
	if err := json.Unmarshal(text, &first); err != nil || first.Header == nil || first.Header.SchemaVersion < 1 {
		return fmt.Errorf("line 1 of %s is no header: the file was cut off there, or is no run", runFile)
	}
	if v := first.Header.SchemaVersion; v > SchemaVersion {
		return fmt.Errorf("it has schema version %d and this program reads up to %d: use a newer vllmbench", v, SchemaVersion)
	}
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return fmt.Errorf("line 1 of %s: %w", runFile, err)
	}
	r.Header = *l.Header
	return nil
}

// add takes line n, which has no end if the file is cut off in it.
func (r *Run) add(n int, text []byte, endless bool) {
	var l line
	err := json.Unmarshal(text, &l)
	switch {
	case err != nil && endless:
		r.warn("line %d of %s is cut off", n, runFile)
	case err != nil:
		r.warn("line %d of %s is damaged and left out: %v", n, runFile, err)
	case l.Row != nil && !l.Row.Requests.valid():
		r.warn("line %d of %s is damaged and left out: requests %+v are no part of a file", n, runFile, l.Row.Requests)
	case l.Row != nil:
		r.Rows = append(r.Rows, *l.Row)
	case l.GPU != nil && !r.follow(l.GPU):
		r.warn("line %d of %s is damaged and left out: its GPU samples are not in the order of time, or not of the run's %d GPUs", n, runFile, len(r.Header.Devices))
	case l.GPU != nil:
		r.GPU = append(r.GPU, l.GPU...)
	case l.After != nil && r.Header.Instance != nil:
		r.Header.Instance.After = l.After
	case l.End != nil:
		r.Complete = l.End.OK
	}
}

// follow says whether samples are of the run's devices and later than those before.
func (r *Run) follow(samples []GPUSample) bool {
	last := time.Duration(math.MinInt64)
	if n := len(r.GPU); n > 0 {
		last = r.GPU[n-1].At
	}
	for _, s := range samples {
		if s.At < last || len(s.GPUs) != len(r.Header.Devices) {
			return false
		}
		last = s.At
	}
	return true
}

func (s Span) valid() bool {
	return s.Offset >= 0 && s.Bytes >= 0 && s.Count >= 0 && s.Offset <= math.MaxInt64-s.Bytes
}

func (r *Run) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}
