package bench

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"

	"vllmbench/client"
	"vllmbench/internal/vllmsim"
)

// A tally counts streams by their faults. Its memory does not grow with them.
type tally struct {
	mu      sync.Mutex
	rows    map[string]*tallyRow
	total   tallyRow
	wrong   int
	shown   []string // the first streams that went wrong
	repeats int      // requests that the server had more than once
	reused  int
	still   int // not judged
	timing  timing

	userStamps bool // the system has no kernel stamps
}

type tallyRow struct {
	streams, wrong int
	outcomes       map[client.Outcome]int
}

func (r *tallyRow) add(outcome client.Outcome, wrong bool) {
	if r.outcomes == nil {
		r.outcomes = map[client.Outcome]int{}
	}
	r.streams++
	r.outcomes[outcome]++
	if wrong {
		r.wrong++
	}
}

// add takes one stream in.
func (t *tally) add(w way, f *finding) {
	errs := f.errs()
	t.mu.Lock()
	defer t.mu.Unlock()
	if f.stoodStill() {
		t.still++
		return
	}
	for _, name := range rowsOf(f) {
		if t.rows == nil {
			t.rows = map[string]*tallyRow{}
		}
		if t.rows[name] == nil {
			t.rows[name] = &tallyRow{}
		}
		t.rows[name].add(f.res.Outcome, len(errs) > 0)
	}
	t.total.add(f.res.Outcome, len(errs) > 0)
	t.repeats += max(0, len(f.told)-1)
	if f.res.Reused {
		t.reused++
	}
	if len(errs) > 0 {
		if t.wrong++; t.wrong <= 20 {
			t.shown = append(t.shown, fmt.Sprintf("%s: %s: %s", w, f, strings.Join(errs, "; ")))
		}
		return
	}
	if w == plain && len(f.truth().Faults) == 0 {
		t.timing.add(f)
	}
}

// rowsOf names f's rows in the table: its ending, or else each fault that it met.
func rowsOf(f *finding) (names []string) {
	if len(f.told) == 0 {
		return []string{"untold"}
	}
	for _, x := range f.truth().Faults {
		if endings()[x.String()] {
			return []string{x.String()}
		}
		names = append(names, x.String())
	}
	if len(names) == 0 {
		return []string{noFault}
	}
	return names
}

const noFault = "none"

// endings are the faults of the first share.
var endings = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for _, text := range faultShares[0].faults {
		faults, err := vllmsim.ParseFaults(text)
		if err != nil {
			panic(err) // the server has refused it before
		}
		set[faults[0].String()] = true
	}
	return set
})

// table says of each fault what became of the streams that met it.
func (t *tally) table() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	line := func(name string, r *tallyRow) {
		var as []string
		for _, o := range slices.Sorted(maps.Keys(r.outcomes)) {
			as = append(as, fmt.Sprintf("%s %d", o, r.outcomes[o]))
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%d\n", name, r.streams, strings.Join(as, ", "), r.wrong)
	}
	fmt.Fprintln(w, "fault\tstreams\tdetected as\tmisclassified")
	for _, ends := range []bool{true, false} {
		for _, name := range slices.Sorted(maps.Keys(t.rows)) {
			if endings()[name] == ends {
				line(name, t.rows[name])
			}
		}
	}
	line("all", &t.total)
	w.Flush()
	if t.still > 0 {
		fmt.Fprintf(&b, "%d more that timed out while this machine stood still are not judged\n", t.still)
	}
	fmt.Fprintf(&b, "%d hung; %d on a connection used before; %d requests repeated on another connection", t.total.outcomes[client.Cancelled], t.reused, t.repeats)
	return b.String()
}
