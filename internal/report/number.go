package report

import (
	"math"
	"strconv"
	"strings"

	"vllmbench/internal/answers"
	"vllmbench/internal/numeral"
)

// thin groups digits and sets off units.
const thin = numeral.Narrow

// number prints v with three significant digits and thin grouping: "0.100",
// "12.3", "4 790".
func number(v float64) string {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'e', 2, 64), 64)
	if err != nil {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	decimals := 2 - int(math.Floor(math.Log10(math.Abs(rounded))))
	if decimals > 6 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	return numeral.Grouped(strconv.FormatFloat(rounded, 'f', max(decimals, 0), 64), thin)
}

// count prints a whole number with thin grouping.
func count(n int) string { return numeral.Grouped(strconv.Itoa(n), thin) }

// interval prints the bounds of e in its scaled unit, or "" if there are too
// few repetitions for any.
func interval(e answers.Estimate, scale float64) string {
	if e.Low == nil || e.High == nil {
		return ""
	}
	return "[" + number(*e.Low*scale) + ", " + number(*e.High*scale) + "]"
}

// A quantity is how a metric is shown: under which name, in which unit, and
// what its values are multiplied with to be in it.
type quantity struct {
	Name  string // "TTFT p50"
	Unit  string // "ms"; "" if the name says it
	scale float64
}

// units are the endings of metric names and the units that people read.
var units = []struct {
	suffix, unit string
	scale        float64
}{
	{"-ns/tok", "µs/tok", 1e-3},
	{"ns/op", "ms/op", 1e-6},
	{"-ns", "ms", 1e-6},
	{"-B", "GiB", 1.0 / (1 << 30)},
	{"-Hz", "GHz", 1e-9},
	{"-%", "%", 1},
	{"-W", "W", 1},
}

// quantityOf reads a metric's name: "p50-ttft-ns" is the TTFT p50 in ms.
func quantityOf(metric string) quantity {
	q := quantity{Name: metric, scale: 1}
	for _, u := range units {
		if name, ok := strings.CutSuffix(metric, u.suffix); ok {
			q = quantity{Name: name, Unit: u.unit, scale: u.scale}
			break
		}
	}
	if q.Name == "" {
		q.Name = "time"
	}
	if ofTurn(metric) {
		_, turn, _ := strings.Cut(strings.TrimSuffix(metric, "-ttft-ns"), "-")
		q.Name = "TTFT " + strings.Replace(strings.ReplaceAll(turn, "-", " "), "turn", "turn ", 1)
		if strings.HasPrefix(turn, "later") {
			q.Name = "TTFT later turns"
		}
		return q
	}
	if which, latency, ok := strings.Cut(q.Name, "-"); ok && q.Unit == "ms" && (which == "mean" || quantileOf(metric) > 0) {
		q.Name = strings.ToUpper(latency) + " " + which
	}
	return q
}

// quantileOf is the percentage of a metric named "p99-...", or 0.
func quantileOf(metric string) int {
	which, _, _ := strings.Cut(metric, "-")
	digits, ok := strings.CutPrefix(which, "p")
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || n > 99 {
		return 0
	}
	return n
}
