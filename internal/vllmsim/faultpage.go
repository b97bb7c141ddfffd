package vllmsim

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
)

// A page is what /metrics shows on a server with faults: the truth, but for them.
type page struct {
	mu       sync.Mutex
	registry *prometheus.Registry
	excess   map[string]float64 // what counters show too much, by family
	started  float64            // when the process claims to have started, seconds since 1970; 0: the truth
}

// add makes a counter show n more than is true.
func (p *page) add(family string, n float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.excess == nil {
		p.excess = make(map[string]float64)
	}
	p.excess[family] += n
}

// begin shows other counters from now on, as if the process were new.
func (p *page) begin(r *prometheus.Registry) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.registry, p.excess, p.started = r, nil, float64(time.Now().UnixNano())/1e9
}

// gather is the page's families without those whose names have one of the parts.
func (p *page) gather(without []string) ([]*dto.MetricFamily, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	all, err := p.registry.Gather()
	for _, f := range all {
		if f.GetName() == "process_start_time_seconds" && p.started != 0 {
			f.Metric[0].Gauge.Value = new(p.started) // the page is written when another may begin
		}
		if n := p.excess[f.GetName()]; n != 0 {
			c := counterOf(f)
			c.Value = new(c.GetValue() + n)
		}
	}
	return slices.DeleteFunc(all, func(f *dto.MetricFamily) bool {
		return slices.ContainsFunc(without, func(part string) bool { return strings.Contains(f.GetName(), part) })
	}), err
}

// counterOf is a family's counter: of finish reason length, if there are several.
func counterOf(f *dto.MetricFamily) *dto.Counter {
	for _, m := range f.Metric {
		if slices.ContainsFunc(m.Label, func(l *dto.LabelPair) bool { return l.GetValue() == "length" }) {
			return m.Counter
		}
	}
	return f.Metric[0].Counter
}

// metricsPage answers GET /metrics, with its faults.
func (s *Server) metricsPage() http.HandlerFunc {
	if !s.Faults.active() {
		return promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{}).ServeHTTP
	}
	return func(w http.ResponseWriter, r *http.Request) {
		x, refused := s.meet(w, r, s.scrapes.Add(1)-1, true)
		if refused != nil {
			refused.writeTo(w)
			return
		}
		if x.begin() != nil {
			return
		}
		gather := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return s.page.gather(x.without) })
		promhttp.HandlerFor(gather, promhttp.HandlerOpts{}).ServeHTTP(w, r)
	}
}

// restartCounters gives the engine new counters, all at zero, between two steps.
func (s *Server) restartCounters() error {
	done := make(chan struct{})
	s.engine.between(func() {
		s.engine.metrics = newMetrics(s.settings)
		s.page.begin(s.engine.metrics.registry)
		close(done)
	})
	select {
	case <-done:
		return nil
	case <-s.engine.stopped:
		return errLeft
	}
}
