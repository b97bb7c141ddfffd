package report

import (
	"cmp"
	"slices"

	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// A leftOut is a metric that one rule left out of rows.
type leftOut struct {
	Metric, Rule string
	Runs         []string
	Rows         int
	Reason       string // the first
	Defined      bool
}

func leftOuts(runs []*results.Run) (out []leftOut) {
	at := map[measure.LeftOut]int{}
	for _, run := range runs {
		for _, row := range run.Rows {
			for _, l := range row.Measured.LeftOut {
				key := measure.LeftOut{Metric: l.Metric, Rule: l.Rule}
				i, ok := at[key]
				if !ok {
					i = len(out)
					at[key] = i
					out = append(out, leftOut{Metric: l.Metric, Rule: l.Rule, Reason: l.Reason, Defined: len(definitions([]string{l.Metric})) > 0})
				}
				found := &out[i]
				found.Rows++
				if n := len(found.Runs); n == 0 || found.Runs[n-1] != run.Name {
					found.Runs = append(found.Runs, run.Name)
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b leftOut) int { return cmp.Compare(b.Rows, a.Rows) })
	return out
}

// A voidRow is one row that proves nothing, and why.
type voidRow struct {
	Run, Cell  string
	Repetition int
	Reasons    []string
}

func voidRows(runs []*results.Run) (out []voidRow) {
	for _, run := range runs {
		for _, row := range run.Rows {
			if len(row.Measured.Void) > 0 {
				out = append(out, voidRow{run.Name, row.Measured.Name, row.Repetition, row.Measured.Void})
			}
		}
	}
	return out
}

// An account is one line of the ledger over all rows of a run.
type account struct {
	Run, Name    string
	Ours, Server float64
	Rows         int  // in which the server counts it
	Unknown      int  // in which it does not
	Off          int  // in which the two do not balance
	Noted        bool // the server alone can count it
}

func accounts(runs []*results.Run) (out []account) {
	for _, run := range runs {
		first := len(out)
		for _, row := range run.Rows {
			for _, a := range row.Measured.Ledger {
				i := slices.IndexFunc(out[first:], func(have account) bool { return have.Name == a.Name }) + first
				if i < first {
					i = len(out)
					out = append(out, account{Run: run.Name, Name: a.Name, Noted: a.Noted})
				}
				sum := &out[i]
				if !a.Known {
					sum.Unknown++
					continue
				}
				sum.Rows++
				sum.Ours += a.Ours
				sum.Server += a.Server
				if !a.Balances() {
					sum.Off++
				}
			}
		}
	}
	return out
}

// A pair is how far a mean on the wire is from the server's own, over the
// valid rows of a run.
type pair struct {
	Run, Name         string
	Rows              int
	Low, Median, High float64 // (wire - server) / server, percent
}

func pairs(runs []*results.Run) (out []pair) {
	for _, run := range runs {
		apart := map[string][]float64{}
		var names []string
		for _, row := range run.Rows {
			if len(row.Measured.Void) > 0 {
				continue
			}
			for _, p := range row.Measured.Wire {
				if p.Server <= 0 {
					continue
				}
				if apart[p.Name] == nil {
					names = append(names, p.Name)
				}
				apart[p.Name] = append(apart[p.Name], 100*(p.Wire-p.Server)/p.Server)
			}
		}
		for _, name := range names {
			all := apart[name]
			slices.Sort(all)
			out = append(out, pair{run.Name, name, len(all), all[0], all[len(all)/2], all[len(all)-1]})
		}
	}
	return out
}
