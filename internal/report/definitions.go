package report

import (
	"slices"

	"vllmbench/internal/measure"
)

// A definition says how a metric is measured.
type definition struct {
	Metric, Name, Unit, Better, Doc string
}

// definitions are those of the metrics in names that are ours.
func definitions(names []string) (out []definition) {
	var quantiles []int
	for _, name := range names {
		if q := quantileOf(name); q > 0 && !slices.Contains(quantiles, q) {
			quantiles = append(quantiles, q)
		}
	}
	for _, m := range measure.Metrics(quantiles) {
		if slices.Contains(names, m.Name) {
			q := quantityOf(m.Name)
			out = append(out, definition{m.Name, q.Name, q.Unit, m.Better, m.Doc})
		}
	}
	slices.SortStableFunc(out, func(a, b definition) int { return slices.Index(names, a.Metric) - slices.Index(names, b.Metric) })
	return out
}
