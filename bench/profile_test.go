package bench

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"vllmbench/internal/measure"
)

// profile sends one operation of each experiment that ran through the
// server's profiler. It comes after all measuring, since a profiled server is a slow one.
func (s *session) profile(w io.Writer) error {
	if flags.profile == "" || s.gone != nil {
		return nil
	}
	var done []string
	for _, c := range s.measured {
		if slices.Contains(done, c.Experiment) {
			continue
		}
		done = append(done, c.Experiment)
		before := traces(s.info.ProfileDir())
		if err := s.profiled(c); err != nil {
			return fmt.Errorf("-profile: %w", err)
		}
		s.collect(w, c, before)
	}
	return nil
}

// tryProfiler turns the profiler on and off, so that a server without one is found before the run.
func (s *session) tryProfiler() error {
	if flags.profile == "" {
		return nil
	}
	err := s.engine.StartProfile(s.ctx)
	if err == nil {
		err = s.engine.StopProfile(s.ctx)
	}
	if err != nil {
		return fmt.Errorf("-profile: %w", err)
	}
	return nil
}

// profiled is one operation of c between start and stop of the profiler.
func (s *session) profiled(c measure.Cell) error {
	if err := s.engine.StartProfile(s.ctx); err != nil {
		return err
	}
	l := s.closed(max(c.Batch, 1), max(c.Batch, 1), s.next(c)).Start(s.ctx)
	_, err := l.Await(max(c.Batch, 1))
	l.Stop()
	if stop := s.engine.StopProfile(s.ctx); err == nil {
		err = stop
	}
	return err
}

// traces lists the files of a folder, which is there if the server is on this machine.
func traces(dir string) []string {
	if dir == "" {
		return nil
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*")) // the pattern is well formed
	return files
}

// collect links what the profiler wrote since before into the folder of
// -profile, or says where the server has it.
func (s *session) collect(w io.Writer, c measure.Cell, before []string) {
	dir := s.info.ProfileDir()
	fresh := slices.DeleteFunc(traces(dir), func(f string) bool { return slices.Contains(before, f) })
	if len(fresh) == 0 {
		fmt.Fprintf(w, "# profile of %s: in %s on the server's host\n", c.Name, known(dir))
		return
	}
	into := filepath.Join(fromRoot(flags.profile), c.Experiment)
	if err := os.MkdirAll(into, 0o777); err != nil {
		fmt.Fprintf(w, "# profile of %s: in %s (%v)\n", c.Name, dir, err)
		return
	}
	for _, f := range fresh {
		where := filepath.Join(into, filepath.Base(f))
		if err := copyFile(f, where); err != nil {
			fmt.Fprintf(w, "# profile of %s: %s (%v)\n", c.Name, f, err)
			continue
		}
		fmt.Fprintf(w, "# profile of %s: %s\n", c.Name, filepath.Join(flags.profile, c.Experiment, filepath.Base(f)))
	}
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
