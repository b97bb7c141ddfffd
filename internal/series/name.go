// Package series names what a run exports as time series.
//
// Prometheus' conventions decide: base units, which the name ends with, one
// unit a name, a quantile as a label. OpenTelemetry has the unit beside the
// name; its names are such that the translation between the two, which both
// projects have agreed on, gives the other one.
package series

import (
	"regexp"
	"strconv"
	"strings"

	"vllmbench/internal/measure"
)

// A Name is what one series is called.
type Name struct {
	Prometheus string  // "vllmbench_row_ttft_seconds"
	OTel       string  // "vllmbench.row.ttft"
	Unit       string  // in UCUM's spelling, as OpenTelemetry has it: "s"
	Quantile   string  // the value of the label quantile, "0.5"; "" if the series is none
	Scale      float64 // by which a metric's value is multiplied
}

const (
	namespace = "vllmbench"
	rows      = namespace + "_row_"
)

// A base is a base unit of Prometheus': its word and UCUM's symbol. Every other
// unit of the metrics is one of these but for a factor, or a count.
type base struct {
	word, symbol string
	scale        float64
}

var bases = map[string]base{
	"ns": {"seconds", "s", 1e-9},
	"B":  {"bytes", "By", 1},
	"%":  {"ratio", "1", 1e-2},
	"W":  {"watts", "W", 1},
	"J":  {"joules", "J", 1},
	"Hz": {"hertz", "Hz", 1},
	"s":  {"second", "s", 1},
}

// words spells out what metrics abbreviate.
var words = map[string]string{"tok": "token", "req": "request", "op": "operation", "event": "event"}

var quantile = regexp.MustCompile(`^p(\d+)-`)

// Of names the series of a row's metric, one of measure.Metrics.
func Of(metric string) Name {
	n := Name{Scale: 1}
	if m := quantile.FindStringSubmatch(metric); m != nil {
		percent, _ := strconv.ParseFloat(m[1], 64) // digits
		n.Quantile = strconv.FormatFloat(percent/100, 'g', -1, 64)
		metric = metric[len(m[0]):]
	}
	unit := measure.Unit(metric)
	stem := strings.Trim(strings.TrimSuffix(metric, unit), "-")
	over, under, ratio := strings.Cut(unit, "/")
	word, symbol := "", ""
	if b, ok := bases[over]; ok {
		word, symbol, n.Scale = b.word, b.symbol, b.scale
	} else if over != "" {
		word, symbol = plural(over), "{"+singular(over)+"}"
	}
	n.OTel, n.Unit = stem, symbol
	if ratio {
		n.OTel = join(stem, word)
		word += "_per_" + singular(under)
		n.Unit += "/" + per(under)
		if _, known := bases[under]; !known { // the translation spells out what is per second, and no count
			n.OTel += "_per_" + singular(under)
		}
	}
	n.Prometheus = rows + plain(join(stem, word))
	n.OTel = namespace + ".row." + plain(n.OTel)
	return n
}

func join(a, b string) string { return strings.Trim(a+"_"+b, "_") }

// singular is the word for one of a unit, plural that for many.
func singular(unit string) string {
	if w, ok := words[unit]; ok {
		return w
	}
	if b, ok := bases[unit]; ok {
		return b.word
	}
	return unit
}

func plural(unit string) string {
	if w, ok := words[unit]; ok {
		return w + "s"
	}
	return unit // "preemptions", "errors"
}

// per is UCUM's symbol of a unit below the line.
func per(unit string) string {
	if b, ok := bases[unit]; ok {
		return b.symbol
	}
	return "{" + singular(unit) + "}"
}

var odd = regexp.MustCompile(`[^a-z0-9_]+`)

// plain is text as both kinds of names take it.
func plain(text string) string { return odd.ReplaceAllString(strings.ToLower(text), "_") }
