package results

import (
	"regexp"
	"slices"
	"strings"

	"vllmbench/internal/measure"
)

var (
	failLine = regexp.MustCompile(`^ *--- FAIL: Benchmark(\S+)`)
	saysLine = regexp.MustCompile(`^ +\S+\.go:\d+: (.*)$`)
)

// failures reads the rows that failed, which have no result line, with the
// reasons why they are void. go test prints what a benchmark said after the
// line that it failed, or before it with -v. A benchmark that failed only
// because a part of it did is not among them.
func failures(text []byte) (found []textRow) {
	var before []string // what was said since the last line of another kind
	open := -1          // index of the failure whose reasons follow
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if m := failLine.FindStringSubmatch(line); m != nil {
			open = len(found)
			found = append(found, textRow{n, measure.Row{Cell: measure.Cell{Name: m[1]}, Void: before}})
			before = nil
		} else if m := saysLine.FindStringSubmatch(line); m != nil && open >= 0 {
			found[open].row.Void = append(found[open].row.Void, m[1])
		} else if m != nil {
			before = append(before, m[1])
		} else {
			open, before = -1, nil
		}
	}
	return own(found)
}

// own leaves out the benchmarks that failed for a part of them, and gives each other its reasons.
func own(failed []textRow) (found []textRow) {
	for _, f := range failed {
		part := func(o textRow) bool { return strings.HasPrefix(o.row.Name, f.row.Name+"/") }
		if len(f.row.Void) == 0 && slices.ContainsFunc(failed, part) {
			continue
		}
		f.row.Void = reasons(f.row.Void)
		found = append(found, f)
	}
	return found
}

// reasons takes those of a void row out of what its benchmark said: if nothing says "void", all is a reason.
func reasons(said []string) []string {
	var void []string
	for _, s := range said {
		if list, ok := strings.CutPrefix(s, "void: "); ok {
			void = append(void, strings.Split(list, "; ")...)
		}
	}
	if void != nil {
		return void
	}
	if len(said) == 0 {
		return []string{"it failed and does not say why"}
	}
	return said
}
