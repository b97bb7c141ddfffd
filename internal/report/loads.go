package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"vllmbench/internal/answers"
	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// ofLoad are the metrics of open loops, of goodput and of the searches for a capacity.
func ofLoad(metric string, _ []string) bool {
	return measure.OfArrivals(metric) || measure.OfSLO(metric) || measure.OfCapacity(metric)
}

// ofPrefix are those of prompts that were made for the prefix cache. Without
// any, what it found is one metric of the server among others.
func ofPrefix(metric string, all []string) bool {
	const expected = "prefix-expected-%"
	return ofTurn(metric) || metric == expected || metric == "prefix-hit-%" && slices.Contains(all, expected)
}

func ofTurn(metric string) bool {
	return strings.HasPrefix(metric, "p50-turn") || metric == measure.TurnTTFT(1<<30)
}

// slos names what goodput was measured by.
func slos(runs []*results.Run) string {
	var parts []string
	for _, run := range runs {
		if text := answers.SLO(run); text != "" && !slices.Contains(parts, Clean(text)) {
			parts = append(parts, Clean(text))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return fmt.Sprintf(" (SLO %s)", strings.Join(parts, "; "))
}

// ofProbe are the metrics that tell what a probe of a search found, in their order.
var ofProbe = []string{"offered-req/s", "in-flight", "growth-req/s", "slo-%", "goodput-req/s", "p50-ttft-ns", "p90-ttft-ns", "p50-tpot-ns"}

// probed is the table of the probes, by their load.
func probed(runs []*results.Run, probes, names []string, known map[place]answers.Level) []table {
	var metrics []string
	for _, metric := range ofProbe {
		if slices.Contains(names, metric) {
			metrics = append(metrics, metric)
		}
	}
	if len(probes) == 0 {
		return nil
	}
	load := func(name string) float64 {
		for _, axis := range []string{answers.Rate, answers.Batch} {
			if x, ok := answers.Setting(measure.Cell{Name: name}, axis); ok {
				return x
			}
		}
		return 0
	}
	kind := func(name string) string { return name[:strings.LastIndexByte(name, '=')+1] }
	slices.SortStableFunc(probes, func(a, b string) int {
		return cmp.Or(-cmp.Compare(kind(a), kind(b)), cmp.Compare(load(a), load(b)))
	})
	t := table{ID: "probes", Title: "Probes of the search, by their load", Folded: true, Columns: columns(metrics)}
	t.Rows = rows(runs, probes, t.Columns, known)
	return []table{t}
}
