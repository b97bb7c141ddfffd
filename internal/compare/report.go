package compare

import "vllmbench/internal/results"

// Verdicts on a gate.
const (
	Pass         = "PASS"         // the whole interval of the change lies inside the gate
	Fail         = "FAIL"         // the whole interval lies beyond it
	Inconclusive = "INCONCLUSIVE" // it straddles the gate, or there is none
)

// A Report is what comparing two runs shows.
type Report struct {
	Old         Side                 `json:"old"`
	New         Side                 `json:"new"`
	Differences []results.Difference `json:"differences"` // both runs tell, and not the same
	OnlyOne     []results.Difference `json:"told_by_one"` // one of the runs does not tell
	Same        []results.Fact       `json:"same"`
	Warnings    []string             `json:"warnings,omitempty"`
	Alpha       float64              `json:"alpha"`       // of the family: what any wrong answer in it may have as probability
	Comparisons int                  `json:"comparisons"` // tests in the family
	Metrics     []Table              `json:"metrics"`
	Verdict     string               `json:"verdict,omitempty"`      // on all gates together; empty without a gate
	Verdicts    map[string]int       `json:"verdicts,omitempty"`     // how many of each
	Count       int                  `json:"count,omitempty"`        // repetitions that would decide what is inconclusive, if the changes are as seen
	Noisy       int                  `json:"noisy,omitempty"`        // inconclusive ones that 1000 repetitions would not decide even if nothing changed
	AtEdge      int                  `json:"at_edge,omitempty"`      // inconclusive ones that 1000 repetitions would not decide if the change is as seen
	NotCompared int                  `json:"not_compared,omitempty"` // inconclusive ones for which values are missing
	OnlyInOld   []string             `json:"only_in_old,omitempty"`  // benchmarks
	OnlyInNew   []string             `json:"only_in_new,omitempty"`
	Allowed     []string             `json:"allowed,omitempty"` // what would have been refused
	gates       int
}

// A Side is one of the two runs.
type Side struct {
	Path string `json:"path"`
	Rows int    `json:"rows"` // that were compared, the void ones not among them
	Void []Void `json:"void,omitempty"`
}

// A Void is the void rows of one benchmark, which enter nothing.
type Void struct {
	Benchmark string   `json:"benchmark"`
	Rows      int      `json:"rows"`
	Reasons   []string `json:"reasons"` // each once
}

// A Table is one metric.
type Table struct {
	Metric  string  `json:"metric"`
	Better  string  `json:"better,omitempty"` // "higher" or "lower"; empty if neither is
	Gate    float64 `json:"gate,omitempty"`   // share by which it may become worse; 0: see Gated
	Gated   bool    `json:"gated"`
	Lines   []Line  `json:"lines"`
	Geomean *Line   `json:"geomean,omitempty"` // over the benchmarks whose change is known; nil if fewer than two
}

// A Line is one metric of one benchmark, or of all of them.
type Line struct {
	Benchmark string  `json:"benchmark"`
	Old       *Level  `json:"old,omitempty"` // nil: no value
	New       *Level  `json:"new,omitempty"`
	Change    *Change `json:"change,omitempty"`  // nil: not known
	Verdict   string  `json:"verdict,omitempty"` // empty: not gated
	Reason    string  `json:"reason,omitempty"`  // why the change or the verdict is not known
	// Needed and Unchanged are repetitions that would decide an inconclusive
	// line with a probability of 90 %: if the change is as seen, and if there
	// is none. Above 1000 they are 1001; 0: not known.
	Needed    int `json:"needed,omitempty"`
	Unchanged int `json:"needed_if_unchanged,omitempty"`

	seen   change
	gated  bool // it gets a verdict
	tested bool // seen is one of the family's
}

// A Level is a metric over the valid repetitions of one benchmark.
type Level struct {
	Median float64 `json:"median"` // for the geomean: the geometric mean of the benchmarks' medians
	// Low and High bound the median at 95 %; nil if there are too few repetitions.
	Low  *float64 `json:"low,omitempty"`
	High *float64 `json:"high,omitempty"`
	N    int      `json:"n"`

	zero bool // all of its values are 0
}

// A Change is new/old - 1, of the geometric means over repetitions.
type Change struct {
	Percent float64 `json:"percent"`
	// Low and High are the interval that decides the line, in percent, corrected
	// for the family by Holm; nil if the change is not in the family.
	Low  *float64 `json:"low_percent,omitempty"`
	High *float64 `json:"high_percent,omitempty"`
	// P is of the test against the gate, or against no change without one,
	// corrected for the family. PRank is of the Mann-Whitney test against no
	// change, as benchstat's, not corrected.
	P      *float64 `json:"p,omitempty"`
	PRank  float64  `json:"p_mann_whitney"`
	Spread float64  `json:"spread_percent"` // of one repetition: a standard deviation
}

// Exit is the exit status for the report: 0, 1 if a gate failed, 2 if one is inconclusive.
func (r *Report) Exit() int {
	switch r.Verdict {
	case Fail:
		return 1
	case Inconclusive:
		return 2
	}
	return 0
}
