package report

import (
	"slices"

	"vllmbench/internal/results"
)

// A factView is one fact with what each run says of it.
type factView struct {
	Group, Name string
	Values      []factValue
}

// A factValue is what some runs say.
type factValue struct {
	Value string // "" if these runs do not say
	Runs  []string
	All   bool // every run says so
}

// A factGroup is facts of one kind.
type factGroup struct {
	Name  string
	Facts []factView
}

// factsOf gathers the facts of all runs, in the order in which they come up.
func factsOf(runs []*results.Run) (out []factView) {
	type key struct{ group, name string }
	var order []key
	said := map[key]map[int]string{}
	for i, run := range runs {
		for _, f := range run.Facts() {
			k := key{f.Group, f.Name}
			if said[k] == nil {
				said[k] = map[int]string{}
				order = append(order, k)
			}
			said[k][i] = f.Value
		}
	}
	for _, k := range order {
		out = append(out, factView{Group: k.group, Name: k.name, Values: valuesOf(runs, said[k])})
	}
	return out
}

// valuesOf groups runs that say the same.
func valuesOf(runs []*results.Run, said map[int]string) (out []factValue) {
	for i, run := range runs {
		at := slices.IndexFunc(out, func(v factValue) bool { return v.Value == said[i] })
		if at < 0 {
			at = len(out)
			out = append(out, factValue{Value: said[i]})
		}
		out[at].Runs = append(out[at].Runs, run.Name)
	}
	for i := range out {
		out[i].All = len(out) == 1
	}
	return out
}

// differing keeps the facts in which two runs contradict each other. A run
// that does not tell contradicts nobody.
func differing(facts []factView) (out []factView) {
	for _, f := range facts {
		told := 0
		for _, v := range f.Values {
			if v.Value != "" {
				told++
			}
		}
		if told > 1 {
			out = append(out, f)
		}
	}
	return out
}

func byGroup(facts []factView) (out []factGroup) {
	for _, f := range facts {
		i := slices.IndexFunc(out, func(g factGroup) bool { return g.Name == f.Group })
		if i < 0 {
			i = len(out)
			out = append(out, factGroup{Name: f.Group})
		}
		out[i].Facts = append(out[i].Facts, f)
	}
	return out
}
