package vllmsim

import (
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// A Server answers vLLM's HTTP API. Its engine runs from New to Close.
type Server struct {
	settings
	engine    *engine
	metrics   *metrics
	http      *http.Server
	created   time.Time
	modelJSON string // ServedModelName as a JSON string
	nextID    atomic.Uint64
	door      frontDoor

	page                 page // of a server with faults
	generations, scrapes atomic.Uint64
	close                func() error
}

// New returns a running server that does not listen yet, or the reason why the
// configuration cannot work. Close must be called.
func New(c Config) (*Server, error) {
	resolved, err := c.resolve()
	if err != nil {
		return nil, err
	}
	name, err := json.Marshal(resolved.ServedModelName)
	if err != nil {
		return nil, err
	}
	sleepUntil, free := c.SleepUntil, func() error { return nil }
	if sleepUntil == nil {
		sleepUntil, free = newSleeper()
	}
	s := &Server{settings: resolved, metrics: newMetrics(resolved), created: time.Now(), modelJSON: string(name)}
	s.engine = newEngine(resolved, s.metrics, sleepUntil)
	s.door.each, s.door.latency = resolved.Timing.Request, resolved.Timing.Latency
	s.http = &http.Server{
		Handler:           s.routes(),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // a client that leaves is no news
	}
	if s.Faults.active() {
		s.page.registry = s.metrics.registry
		s.http.ConnContext = keepConn
		s.http.Protocols = new(http.Protocols)
		s.http.Protocols.SetHTTP1(true)
		s.http.Protocols.SetUnencryptedHTTP2(true)
	}
	s.close = sync.OnceValue(func() error {
		err := s.http.Close()
		s.engine.close()
		return errors.Join(err, free())
	})
	go s.engine.run()
	return s, nil
}

// Serve answers connections of l until Close, and then returns nil.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Close stops the server at once: streams are cut off, as when a process dies.
func (s *Server) Close() error { return s.close() }
