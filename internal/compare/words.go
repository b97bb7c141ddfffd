package compare

import (
	"fmt"
	"strings"

	"vllmbench/internal/results"
)

// preamble is what stands above the tables: the runs, in what they differ, and what is not compared.
func (r *Report) preamble() []string {
	out := []string{
		fmt.Sprintf("old: %s, %s", r.Old.Path, rows(r.Old.Rows)),
		fmt.Sprintf("new: %s, %s", r.New.Path, rows(r.New.Rows)),
	}
	if len(r.Differences) == 0 {
		out = append(out, "different: nothing that the runs tell")
	}
	for _, g := range grouped(r.Differences) {
		out = append(out, "different: "+g)
	}
	if len(r.Same) > 0 {
		out = append(out, "the same: "+counted(r.Same))
	}
	if len(r.OnlyOne) > 0 {
		var names []string
		for _, d := range r.OnlyOne {
			names = append(names, d.Group+" "+d.Name)
		}
		out = append(out, "told by one run only: "+strings.Join(names, ", "))
	}
	for _, w := range r.Warnings {
		out = append(out, "warning: "+w)
	}
	for _, side := range []struct {
		name string
		void []Void
		only []string
	}{{"old", r.Old.Void, r.OnlyInOld}, {"new", r.New.Void, r.OnlyInNew}} {
		for _, v := range side.void {
			out = append(out, fmt.Sprintf("void in %s: %s, %s: %s", side.name, v.Benchmark, rows(v.Rows), strings.Join(v.Reasons, "; ")))
		}
		if len(side.only) > 0 {
			out = append(out, fmt.Sprintf("only in %s, so not compared: %s", side.name, strings.Join(side.only, " ")))
		}
	}
	return out
}

func rows(n int) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}

// grouped are the differences of each group as one line: "server settings: max-num-seqs 1024 -> 8".
func grouped(all []results.Difference) (out []string) {
	group := ""
	for _, d := range all {
		says := fmt.Sprintf("%s %s -> %s", d.Name, d.Old, d.New)
		if d.Group == group {
			out[len(out)-1] += ", " + says
			continue
		}
		group = d.Group
		out = append(out, group+": "+says)
	}
	return out
}

// counted names a group's one fact, or counts its facts.
func counted(same []results.Fact) string {
	var groups []string
	count := map[string]int{}
	for _, f := range same {
		if count[f.Group] == 0 {
			groups = append(groups, f.Group)
		}
		count[f.Group]++
	}
	for i, g := range groups {
		groups[i] = fmt.Sprintf("%s (%d)", g, count[g])
		for _, f := range same {
			if f.Group == g && (g == results.FactModel || count[g] == 1) {
				groups[i] = g + " " + f.Value
			}
		}
	}
	return strings.Join(groups, ", ")
}

// rule says how the report decides.
func (r *Report) rule() []string {
	comparisons := fmt.Sprintf("%d comparisons", r.Comparisons)
	if r.Comparisons == 1 {
		comparisons = "1 comparison"
	}
	return []string{
		fmt.Sprintf("%s, family-wise error %s%s%% by Holm: an interval is the one that decides its line.", comparisons, exact(100*r.Alpha), thin),
		"A change is that of the geometric mean over repetitions; its interval is a t interval of logarithms.",
	}
}

// conclusion is the verdict and what to do about what is inconclusive.
func (r *Report) conclusion() []string {
	if r.Verdict == "" {
		return nil
	}
	out := []string{fmt.Sprintf("%s: %d pass, %d fail, %d inconclusive", r.Verdict, r.Verdicts[Pass], r.Verdicts[Fail], r.Verdicts[Inconclusive])}
	if r.Count > 0 {
		out = append(out, fmt.Sprintf("-count=%d in both runs would decide what is inconclusive with a probability of 90%s%% each, if the changes are as seen", r.Count, thin))
	}
	if r.Noisy > 0 {
		out = append(out, fmt.Sprintf("%d would need more than 1000 repetitions: the metric is too noisy on this machine: lengthen -benchtime", r.Noisy))
	}
	if r.AtEdge > 0 {
		out = append(out, fmt.Sprintf("%d would need more than 1000 repetitions: the change that is seen lies at the gate's edge: move the gate or live with it", r.AtEdge))
	}
	if r.NotCompared > 0 {
		out = append(out, fmt.Sprintf("%d could not be compared: the notes say why", r.NotCompared))
	}
	return out
}
