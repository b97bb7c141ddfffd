// Package scrape offers a run in progress to Prometheus.
//
// Requests are observed after they ended, by whoever sent them, into counters
// and histograms that take no lock, so that no stamp waits for them. Histograms
// are classic ones, which every Prometheus reads; a row's own quantiles come
// from its requests, not from these.
package scrape

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"vllmbench/client"
	"vllmbench/gpuprobe"
	"vllmbench/internal/measure"
)

// Path is where the page is.
const Path = "/metrics"

// A Config says what the page is of.
type Config struct {
	Addr   string          // to listen on, like 127.0.0.1:9464; port 0 is any free one
	Server string          // the kind of the server that is measured
	Model  string          // as the server names it
	GPU    *gpuprobe.Probe // nil: no GPU is watched
}

// A Page is the page of one run. The nil Page keeps nothing. Its methods may
// be called by any goroutine.
type Page struct {
	families *families
	rows     *rows
	server   *http.Server
	url      string
	current  atomic.Pointer[cell] // nil between cells
	scraped  visits
}

// Listen begins to offer the page. It fails if the address is not free.
func Listen(c Config) (*Page, error) {
	l, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return nil, fmt.Errorf("%w: name a free address of this machine, like 127.0.0.1:9464", err)
	}
	p := &Page{rows: newRows(), url: "http://" + l.Addr().String() + Path}
	r := prometheus.NewRegistry()
	labelled := prometheus.WrapRegistererWith(prometheus.Labels{"server": valid(c.Server), "model_name": valid(c.Model)}, r)
	p.families = newFamilies()
	labelled.MustRegister(p.families, p.rows)
	if c.GPU != nil && len(c.GPU.Devices()) > 0 {
		labelled.MustRegister(newGPUs(c.GPU))
	}
	mux := http.NewServeMux()
	// What is offered is small, and the reader near: compressing it would cost the client's processor.
	page := promhttp.HandlerFor(r, promhttp.HandlerOpts{DisableCompression: true, MaxRequestsInFlight: 2})
	mux.Handle("GET "+Path, p.scraped.counted(page))
	p.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10}
	go func() { _ = p.server.Serve(l) }() // ends with Close
	return p, nil
}

// URL is the page's address, "" of the nil Page.
func (p *Page) URL() string {
	if p == nil {
		return ""
	}
	return p.url
}

// Begin says which cell the requests are of from now on.
func (p *Page) Begin(name string) {
	if p != nil {
		p.current.Store(p.families.cell(valid(name)))
	}
}

// Sent counts a request that is being sent.
func (p *Page) Sent() {
	if p != nil {
		p.families.inFlight.Inc()
	}
}

// Ended counts a request that ended.
func (p *Page) Ended(r *client.Result) {
	if p == nil {
		return
	}
	p.families.inFlight.Dec()
	if c := p.current.Load(); c != nil {
		c.observe(r)
	}
}

// Row offers what a row tells in place of what its cell's last one told, and
// ends the cell.
func (p *Page) Row(row *measure.Row) {
	if p != nil {
		p.rows.put(row)
		p.end()
	}
}

// Void offers that a cell has no row.
func (p *Page) Void(name string) {
	p.Row(&measure.Row{Cell: measure.Cell{Name: name}, Void: []string{"not measured"}})
}

func (p *Page) end() {
	p.current.Store(nil)
	p.families.none()
}

// patience bounds how long Close waits.
const patience = 30 * time.Second

// Close ends the page. A reader that came before is waited for, as long as it
// took from one visit to the next, so that it sees the last row.
func (p *Page) Close(ctx context.Context) error {
	if p == nil {
		return nil
	}
	p.end()
	p.scraped.await(ctx, patience)
	if err := p.server.Close(); err != nil {
		return fmt.Errorf("closing the page for Prometheus: %w", err)
	}
	return nil
}

// Visits are the answered reads of the page.
type visits struct {
	mu       sync.Mutex
	last     time.Time
	interval time.Duration // between the last two
	next     chan struct{} // closed by the next one; nil: nobody waits
}

func (v *visits) counted(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		h.ServeHTTP(w, r)
		v.mu.Lock()
		defer v.mu.Unlock()
		if !v.last.IsZero() {
			v.interval = began.Sub(v.last)
		}
		v.last = began
		if v.next != nil {
			close(v.next)
			v.next = nil
		}
	})
}

// await waits for the next visit, if one is to be expected.
func (v *visits) await(ctx context.Context, atMost time.Duration) {
	v.mu.Lock()
	wait := min(2*v.interval, atMost)
	next := make(chan struct{})
	v.next = next
	v.mu.Unlock()
	if wait == 0 {
		return
	}
	late := time.NewTimer(wait)
	defer late.Stop()
	select {
	case <-next:
	case <-late.C:
	case <-ctx.Done():
	}
}
