package monitor

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
)

// A timeline is a CSV file with a line for each round. A line is on its way to
// the disk before the next round, so a kill loses none.
type timeline struct {
	name string
	file io.Closer
	csv  *csv.Writer
}

// createTimeline makes the file; it takes the place of one that exists only if force is set.
func createTimeline(name string, force bool) (*timeline, error) {
	how := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		how = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(name, how, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s exists and is not overwritten: give another file with -log, or -force", name)
	}
	if err != nil {
		return nil, fmt.Errorf("the log cannot be written (%w): give another file with -log", err)
	}
	t := &timeline{name, f, csv.NewWriter(f)}
	return t, t.write(timelineHeader())
}

func (t *timeline) close() error {
	if err := t.file.Close(); err != nil {
		return fmt.Errorf("the log %s is not complete: %w", t.name, err)
	}
	return nil
}

func (t *timeline) write(fields []string) error {
	err := t.csv.Write(fields)
	if err == nil {
		t.csv.Flush()
		err = t.csv.Error()
	}
	if err != nil {
		return fmt.Errorf("the log %s cannot be written on: %w", t.name, err)
	}
	return nil
}

// timelineHeader names all columns, so that files have the same ones whatever was watched.
func timelineHeader() []string {
	fields := []string{"time", "interval (s)", "simulated", "server", "gpu", "idle", "throttle"}
	for q := range quantities {
		fields = append(fields, columns[q].short+" ("+columns[q].unit+")")
	}
	return fields
}

// record writes the newest round of s. What is unknown is empty.
func (t *timeline) record(s *State) error {
	r := s.newest()
	fields := []string{
		r.at.Format(time.RFC3339Nano), "", strconv.FormatBool(s.Simulated), s.standing(), s.gpuNames(), "", s.gpu.slow,
	}
	if r.elapsed > 0 {
		fields[1] = strconv.FormatFloat(r.elapsed.Seconds(), 'f', 3, 64)
	}
	if r.hasGPU() {
		fields[5] = strconv.FormatBool(r.idle)
	}
	for q, c := range r.cells {
		field := ""
		if c.known {
			field = strconv.FormatFloat(quantity(q).shown(c.n), 'g', 6, 64)
		}
		fields = append(fields, field)
	}
	return t.write(fields)
}

// standing is the server's state in a word.
func (s *State) standing() string {
	switch {
	case s.URL == "":
		return ""
	case s.server.gone():
		return "gone"
	case s.server.silent > 0:
		return "late"
	}
	return "up"
}

func (s *State) gpuNames() string {
	var names []string
	for _, d := range s.GPUs {
		names = append(names, fmt.Sprintf("%d: %s", d.Index, d.Name))
	}
	return strings.Join(names, "; ")
}
