package engine

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/http"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// A page is one answer to GET /metrics: families by name, in Prometheus' text format.
type page map[string]*dto.MetricFamily

// page reads an answer to GET /metrics. Its errors name neither server nor path.
func (c *Client) page(a *answer) (page, error) {
	if a.status != http.StatusOK {
		return nil, errors.New(status(a, c.clean(message(a.body))))
	}
	p, err := parse(a.body)
	if err != nil {
		return nil, fmt.Errorf("its answer is not Prometheus' text format (%s)", c.clean(err.Error()))
	}
	return p, nil
}

func parse(body []byte) (page, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation) // a parser without a scheme panics
	return parser.TextToMetricFamilies(bytes.NewReader(body))
}

// labels returns the labels of the first metric of a family, passed through clean.
func (p page) labels(family string, clean func(string) string) map[string]string {
	f := p[family]
	if f == nil {
		return nil
	}
	all := map[string]string{}
	for _, l := range f.GetMetric()[0].GetLabel() {
		all[clean(l.GetName())] = clean(l.GetValue())
	}
	return all
}

// only returns the page's families that are read with the metrics of one model. If
// all have the same model_name, they are all kept: vLLM counts a model's other
// names and its adapters under its first name.
func (p page) only(model string) page {
	names := map[string]bool{}
	kept := page{}
	for name, f := range p {
		if !counted(name) {
			continue
		}
		kept[name] = f
		for _, m := range f.GetMetric() {
			if n := label(m, "model_name"); n != "" {
				names[n] = true
			}
		}
	}
	if model == "" || len(names) <= 1 {
		return kept
	}
	for name, f := range kept {
		one := &dto.MetricFamily{Name: f.Name, Type: f.Type}
		for _, m := range f.GetMetric() {
			if label(m, "model_name") == model {
				one.Metric = append(one.Metric, m)
			}
		}
		kept[name] = one
	}
	return kept
}

// first returns the metrics of the first of families that the page has: the
// new name before the old one, since some versions of vLLM have both.
func (p page) first(families ...string) []*dto.Metric {
	for _, name := range families {
		if m := p[name].GetMetric(); len(m) > 0 {
			return m
		}
	}
	return nil
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// number reads a counter or gauge, or NaN from anything else.
func number(m *dto.Metric) float64 {
	switch {
	case m.Counter != nil:
		return m.GetCounter().GetValue()
	case m.Gauge != nil:
		return m.GetGauge().GetValue()
	case m.Untyped != nil:
		return m.GetUntyped().GetValue()
	}
	return math.NaN()
}
