// Package ab measures two servers, or two settings of one, in turns.
//
// A machine that grows slower in the course of an hour makes the server that
// was measured second look worse. Here both sides run the same benchmarks in
// blocks of four legs, A B B A and B A A B alternately: what drifts along a line
// falls on both sides of a block alike, and what drifts along a parabola on both
// sides of two blocks. Only one side is under load at a time.
package ab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"vllmbench/internal/trust"
)

// A Side is one of the two that are compared.
type Side struct {
	Name   string // of its file, without ".txt"; default "a" and "b"
	URL    string // of its server, as the benchmarks' -url
	Switch string // a shell command after which URL is this side's server; default none
}

// A Config says what to measure. A, B and Dir must be set.
type Config struct {
	A, B   Side
	Dir    string   // where results go; made if need be
	Blocks int      // of four legs each; default 4
	Args   []string // flags of the benchmarks, as of go test
	APIKey string   // for the question whether a server answers; the benchmarks read VLLM_API_KEY

	HTTP *http.Client // asks that question; default one that believes this system's certificates

	// SwitchTimeout bounds a switch command and the wait for its server together. Default 10 minutes.
	SwitchTimeout time.Duration

	Record bool // keep each leg's record, in Dir/records/NAME-N
	Force  bool // compare sides of different models or workloads

	Program  Program   // the benchmarks; default: built from the module around the working directory
	Progress io.Writer // a line for each leg; default none
}

// An Outcome is two files of results, and what they say.
type Outcome struct {
	A, B    string   // paths of the files
	Changes []Change // of B against A, one a metric, in the order in which the output says what is better
	Blocks  int
	Ignore  []string // configuration keys in which the sides differ: benchstat must ignore them
}

// Run measures both sides. It writes Dir/a.txt and Dir/b.txt, under the names
// of the sides, when all legs are whole. If it fails or ctx ends, the legs
// measured so far are kept as Dir/a.partial.txt and Dir/b.partial.txt, and the
// error says so; results of an earlier run stay as they are.
func Run(ctx context.Context, c Config) (*Outcome, error) {
	c, err := c.resolve()
	if err != nil {
		return nil, err
	}
	if err := prepare(c); err != nil {
		return nil, err
	}
	if c.Program == (Program{}) {
		folder, err := os.MkdirTemp("", "vllmbench-ab-")
		if err != nil {
			return nil, fmt.Errorf("making a folder for the benchmarks: %w", err)
		}
		defer os.RemoveAll(folder)
		if c.Program, err = Build(ctx, folder); err != nil {
			return nil, err
		}
	}
	r := newRunner(c)
	if err := r.all(ctx); err != nil {
		return nil, r.kept(err)
	}
	return r.finish()
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// resolve fills in defaults and checks what can be checked without a server.
func (c Config) resolve() (Config, error) {
	c.A.Name, c.B.Name = cmp.Or(c.A.Name, "a"), cmp.Or(c.B.Name, "b")
	c.Blocks = cmp.Or(c.Blocks, 4)
	c.SwitchTimeout = cmp.Or(c.SwitchTimeout, 10*time.Minute)
	if c.HTTP == nil {
		c.HTTP = trust.Client(nil)
	}
	if c.Progress == nil {
		c.Progress = io.Discard
	}
	switch {
	case c.Dir == "":
		return c, errors.New("no folder for the results is named: name one")
	case c.Blocks < 1:
		return c, fmt.Errorf("%d blocks are too few: name 1 or more", c.Blocks)
	case c.SwitchTimeout < 0:
		return c, fmt.Errorf("a switch timeout of %v is none: name a time above 0", c.SwitchTimeout)
	case strings.EqualFold(c.A.Name, c.B.Name): // file systems may not tell them apart
		return c, fmt.Errorf("both sides are named %s: give them two names", c.A.Name)
	case (c.A.Switch == "") != (c.B.Switch == ""):
		return c, errors.New("only one side has a switch command: give both, since what one changes the other must undo")
	}
	for _, s := range []Side{c.A, c.B} {
		if !plainName.MatchString(s.Name) {
			return c, fmt.Errorf("%q is no name for a side: use letters, digits, '.', '_' and '-'", s.Name)
		}
		if u, err := url.Parse(s.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return c, fmt.Errorf("the URL of side %s, %q, is none: give it as http://host:port", s.Name, s.URL)
		}
	}
	var err error
	c.Args, err = testArgs(c.Args)
	return c, err
}

// prepare makes the folder, and removes from it what an earlier run left unfinished.
func prepare(c Config) error {
	if err := os.MkdirAll(c.Dir, 0o777); err != nil {
		return fmt.Errorf("making the folder for the results: %w", err)
	}
	records := filepath.Join(c.Dir, "records")
	if left, err := os.ReadDir(records); c.Record && err == nil && len(left) > 0 {
		return fmt.Errorf("%s holds records of another run: remove it, or name another folder for the results", records)
	}
	for _, s := range []Side{c.A, c.B} {
		if err := os.RemoveAll(partial(c.Dir, s)); err != nil {
			return fmt.Errorf("removing an unfinished run: %w", err)
		}
	}
	return nil
}

// whole and partial are the paths of a side's file.
func whole(dir string, s Side) string   { return filepath.Join(dir, s.Name+".txt") }
func partial(dir string, s Side) string { return filepath.Join(dir, s.Name+".partial.txt") }
