package ab

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// A leg is one run of the benchmarks against one side.
type leg struct {
	turn
	*output
	began time.Time
}

// legs are those of one side, in order.
type legs []leg

// render writes the legs as one run: the first leg's header, then the results
// of each behind a comment that names the leg. Comments that an earlier leg had
// are left out.
func (l legs) render(w io.Writer, of int) error {
	text := bufio.NewWriter(w)
	seen := map[string]bool{}
	put := func(lines []string, only string) {
		for _, line := range lines {
			if strings.HasPrefix(line, only) && !seen[line] {
				seen[line] = true
				fmt.Fprintln(text, line)
			}
		}
	}
	for i, leg := range l {
		only := "# "
		if i == 0 {
			only = ""
		}
		put(leg.head, only)
		fmt.Fprintf(text, "# leg %d of %d, block %d, began %s\n", leg.leg, of, leg.block, leg.began.UTC().Format(time.RFC3339))
		for _, r := range leg.results {
			fmt.Fprintln(text, r.line)
		}
		put(leg.tail, "# ")
	}
	return text.Flush()
}

// save replaces the file at path by the legs, or removes it if there are none.
func (l legs) save(path string, of int) error {
	if len(l) == 0 {
		return os.RemoveAll(path)
	}
	beside := fmt.Sprintf("%s.tmp-%d", path, os.Getpid())
	f, err := os.Create(beside)
	if err != nil {
		return fmt.Errorf("saving results: %w", err)
	}
	err = errors.Join(l.render(f, of), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(beside, path)
	}
	if err != nil {
		return fmt.Errorf("saving results: %w", errors.Join(err, os.Remove(beside)))
	}
	return nil
}

// setting returns the leg's comment that begins with prefix, or "".
func (o *output) setting(prefix string) string {
	for _, line := range o.head {
		if rest, ok := strings.CutPrefix(line, prefix); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}
