package results

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"

	"vllmbench/client"
	"vllmbench/internal/measure"
)

// A Writer saves a run as it goes. It is not safe for concurrent use.
type Writer struct {
	folder      *folder
	run         *os.File
	requests    *os.File
	offset      int64 // bytes in requests
	epoch       time.Time
	repetitions map[string]int // rows so far, by the cell's name
	err         error          // the first failure to write; it ends the run
	closed      bool
}

// Create begins a run under the name dir and writes its header.
//
// The run is written into dir itself if dir does not exist or is empty. If it
// holds a run, the new one is written into dir.new-N until Close(true) puts it
// in its place. A dir that another process records into, that holds other
// files than a run's, or that cannot be written is an error.
func Create(dir string, h Header) (*Writer, error) {
	f, err := claim(dir)
	if err != nil {
		return nil, refused(dir, err)
	}
	w := &Writer{folder: f, repetitions: map[string]int{}}
	if err := w.begin(h); err != nil {
		return nil, refused(dir, errors.Join(err, w.closeFiles(), release(f.lock)))
	}
	return w, nil
}

func refused(dir string, err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return fmt.Errorf("cannot record into %s: %w: name a folder that can be written", dir, err)
	}
	return fmt.Errorf("cannot record into %s: %w", dir, err)
}

func (w *Writer) begin(h Header) (err error) {
	h.SchemaVersion = SchemaVersion
	h.Run = cmp.Or(h.Run, filepath.Base(w.folder.dir))
	if h.Started.IsZero() {
		h.Started = time.Now()
	}
	if h.Epoch.IsZero() {
		h.Epoch = h.Started
	}
	h.Environment = h.Environment.filled()
	w.epoch = h.Epoch

	const flags = os.O_CREATE | os.O_EXCL | os.O_WRONLY
	if w.requests, err = os.OpenFile(filepath.Join(w.folder.stage, requestsFile), flags, 0o666); err != nil {
		return err
	}
	if w.run, err = os.OpenFile(filepath.Join(w.folder.stage, runFile), flags, 0o666); err != nil {
		return err
	}
	if err := w.put(line{Header: &h}); err != nil {
		return err
	}
	return syncDir(w.folder.stage)
}

// Dir is the folder that holds the run: the one given to Create once Close(true) returned nil.
func (w *Writer) Dir() string {
	return w.folder.stage
}

// Row saves a row and all its requests; when it returns nil, both are on the
// disk. Requests are written first, so that a row in the file always has its
// requests. After a failure to write, the run takes no more rows and samples.
func (w *Writer) Row(row measure.Row, reqs []client.Result) error {
	if w.err != nil {
		return w.err
	}
	for _, v := range row.Values {
		if math.IsNaN(v.Value) || math.IsInf(v.Value, 0) {
			return fmt.Errorf("saving row %s: %s is %v, which is no measurement", row.Name, v.Metric, v.Value)
		}
	}
	member, err := encodeRequests(reqs)
	if err != nil {
		return fmt.Errorf("saving row %s: %w", row.Name, err)
	}
	saved := Row{
		Start:      w.epoch.Add(row.Window.From),
		Repetition: w.repetitions[row.Name] + 1,
		Requests:   Span{Offset: w.offset, Bytes: int64(len(member)), Count: len(reqs)},
		Measured:   row,
	}
	text, err := encodeLine(line{Row: &saved})
	if err != nil {
		return fmt.Errorf("saving row %s: %w", row.Name, err)
	}
	if err := appendTo(w.requests, member); err != nil {
		return w.broken("the requests of row "+row.Name, err)
	}
	if err := appendTo(w.run, text); err != nil {
		return w.broken("row "+row.Name, err)
	}
	w.offset += saved.Requests.Bytes
	w.repetitions[row.Name]++
	return nil
}

// GPU saves samples, which must be later than those saved before; when it
// returns nil, they are on the disk. It belongs before the Row in whose window
// they were taken, so that a row in the file has its samples. No samples are no line.
func (w *Writer) GPU(samples []GPUSample) error {
	if w.err != nil || len(samples) == 0 {
		return w.err
	}
	text, err := encodeLine(line{GPU: samples})
	if err != nil {
		return fmt.Errorf("saving GPU samples: %w", err)
	}
	if err := appendTo(w.run, text); err != nil {
		return w.broken("GPU samples", err)
	}
	return nil
}

// After saves what the server had counted once all requests of an Instance had ended.
func (w *Writer) After(r Reading) error {
	if w.err != nil {
		return w.err
	}
	if err := w.put(line{After: &r}); err != nil {
		return w.broken("the server's counters", err)
	}
	return nil
}

// broken ends the run: half of something may lie in its files.
func (w *Writer) broken(what string, err error) error {
	rows := 0
	for _, n := range w.repetitions {
		rows += n
	}
	w.err = fmt.Errorf("saving %s: %w: record into a folder with room; %d rows are saved in %s", what, err, rows, w.folder.stage)
	return w.err
}

// Close ends the run. If ok, the run takes the place of what its folder held;
// if not, or if a row could not be saved, that stays as it was and the run
// stays where it was written. The next run under that name that ends well
// removes it. A second Close does nothing.
func (w *Writer) Close(ok bool) error {
	if w.closed {
		return nil
	}
	w.closed = true
	err := w.err
	if err == nil {
		err = w.put(line{End: &End{At: time.Now(), OK: ok}})
	}
	err = errors.Join(err, w.closeFiles())
	if err != nil || !ok {
		return errors.Join(err, release(w.folder.lock))
	}
	if err := w.folder.settle(); err != nil {
		return fmt.Errorf("the run is whole in %s, but its folders are not in order: %w", w.folder.stage, err)
	}
	return nil
}

func (w *Writer) closeFiles() error {
	var err error
	for _, f := range []*os.File{w.requests, w.run} {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	return err
}

// put appends one line to run.jsonl and syncs it.
func (w *Writer) put(l line) error {
	text, err := encodeLine(l)
	if err != nil {
		return err
	}
	return appendTo(w.run, text)
}

func encodeLine(l line) ([]byte, error) {
	var text bytes.Buffer
	err := encoder(&text).Encode(l)
	return text.Bytes(), err
}

func appendTo(f *os.File, data []byte) error {
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Sync()
}

// encoder writes JSON for people too: a reason keeps its "<" and ">".
func encoder(w io.Writer) *json.Encoder {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e
}
