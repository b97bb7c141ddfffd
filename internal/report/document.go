package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// A document is what page and Markdown say, in the order in which they do.
type document struct {
	Title     string
	Simulated []string // names of the runs whose server is the embedded one
	Runs      []runView
	Questions []question
	Warnings  []warning
	Facts     []factGroup // all of them: the environment
	Differ    []factView  // those in which the runs differ
	Tables    []table
	NotShown  string // which tables are not there, and why
	LeftOut   []leftOut
	Void      []voidRow
	Accounts  []account
	Pairs     []pair
	Metrics   []definition
}

// manyRuns is how many runs a report has at most to show every metric.
const manyRuns = 8

// A runView is one run in the list of runs.
type runView struct {
	Index    int
	Name     string
	When     string // UTC; "" if unknown
	Model    string
	Server   string
	GPU      string
	Own      []string // what of model, GPU and server is not the same in all runs
	Rows     int
	Void     int
	Text     bool // read from a text of go test: no requests, no GPU samples
	Warnings []string
}

func newDocument(r *Report) document {
	facts := factsOf(r.runs)
	d := document{
		Facts:     byGroup(facts),
		Differ:    differing(facts),
		Questions: questions(r.summaries),
		Warnings:  warnings(r.summaries),
		LeftOut:   leftOuts(r.runs),
		Void:      voidRows(r.runs),
		Accounts:  accounts(r.runs),
		Pairs:     pairs(r.runs),
	}
	for i, run := range r.runs {
		d.Runs = append(d.Runs, viewOf(i, run))
		if run.Header.Simulated {
			d.Simulated = append(d.Simulated, run.Name)
		}
	}
	d.Title = title(d.Runs)
	for i := range d.Runs {
		d.Runs[i].own(d.Runs)
	}
	names := metricsOf(r.runs)
	d.Tables = tables(r.runs, names)
	if all := len(d.Tables); len(r.runs) > manyRuns {
		d.Tables = slices.DeleteFunc(d.Tables, func(t table) bool { return t.Folded })
		if len(d.Tables) < all {
			d.NotShown = fmt.Sprintf("Of more than %d runs, the other metrics are not shown: report fewer runs, or see what vllmbench export writes.", manyRuns)
		}
	}
	d.Metrics = definitions(names)
	return d
}

func viewOf(i int, run *results.Run) runView {
	v := runView{Index: i, Name: Clean(run.Name), Rows: len(run.Rows), Text: run.Text, Warnings: run.Warnings}
	if !run.Header.Started.IsZero() {
		v.When = run.Header.Started.UTC().Format("2006-01-02 15:04 UTC")
	}
	for _, row := range run.Rows {
		if len(row.Measured.Void) > 0 {
			v.Void++
		}
	}
	kind, version := "", ""
	for _, f := range run.Facts() {
		switch {
		case f.Group == results.FactModel && f.Name == "name":
			v.Model = Clean(f.Value)
		case f.Group == results.FactServer && f.Name == "kind":
			kind = Clean(f.Value)
		case f.Group == results.FactServer && f.Name == "version":
			version = Clean(f.Value)
		}
	}
	v.Server = strings.TrimSpace(kind + " " + version)
	v.GPU = cmp.Or(gpuOf(run.Header.Devices), "GPU not recorded")
	return v
}

// gpuOf names the watched GPUs: "2 x NVIDIA H200".
func gpuOf(devices []results.Device) string {
	var names []string
	for _, d := range devices {
		if name := Clean(d.Name); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	text := strings.Join(names, ", ")
	if len(devices) > 1 && len(names) == 1 {
		text = fmt.Sprintf("%d × %s", len(devices), text)
	}
	return text
}

// parts of a run that make up the title if all runs have them in common.
var parts = []func(runView) string{
	func(r runView) string { return r.Model },
	func(r runView) string { return r.GPU },
	func(r runView) string { return r.Server },
}

func common(runs []runView, part func(runView) string) bool {
	return !slices.ContainsFunc(runs, func(r runView) bool { return part(r) != part(runs[0]) })
}

// title names what all runs have in common.
func title(runs []runView) string {
	var shared []string
	for _, part := range parts {
		if text := part(runs[0]); text != "" && common(runs, part) {
			shared = append(shared, text)
		}
	}
	if len(shared) == 0 {
		return runs[0].Name
	}
	return strings.Join(shared, " · ")
}

// own fills in what the title does not say of the run.
func (v *runView) own(runs []runView) {
	for _, part := range parts {
		if text := part(*v); text != "" && !common(runs, part) {
			v.Own = append(v.Own, text)
		}
	}
}

// metricsOf names every metric that a row of the runs has or was refused, in
// the order of display; those that are none of ours come last.
func metricsOf(runs []*results.Run) []string {
	var quantiles []int
	seen := map[string]bool{}
	var foreign []string
	note := func(metric string) {
		if seen[metric] {
			return
		}
		seen[metric] = true
		foreign = append(foreign, metric)
		if q := quantileOf(metric); q > 0 && !slices.Contains(quantiles, q) {
			quantiles = append(quantiles, q)
		}
	}
	for _, run := range runs {
		for _, row := range run.Rows {
			for _, v := range row.Measured.Values {
				note(v.Metric)
			}
			for _, l := range row.Measured.LeftOut {
				note(l.Metric)
			}
		}
	}
	slices.Sort(quantiles)
	var names []string
	for _, m := range measure.Metrics(quantiles) {
		if seen[m.Name] {
			names = append(names, m.Name)
			delete(seen, m.Name)
		}
	}
	for _, metric := range foreign {
		if seen[metric] {
			names = append(names, metric)
		}
	}
	return names
}
