package vllmsim

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/valyala/fastjson"
)

// An exchange is one request on a server with faults, and what they make of it.
type exchange struct {
	s      *Server
	w      http.ResponseWriter
	r      *http.Request
	conn   net.Conn // that r came on
	random *rand.Rand
	truth  Truth
	err    error // how it ended; nil: as it should

	asks   []func(*generation) // what faults change of the request
	stages []stage             // what they change of the stream, first to last

	openAtOnce bool // a chat's role does not wait for the first token
	zipped     bool
	join       int // tokens an event
	split      int // writes an event

	events *events
	unsent []int // tokens of each event that is not written yet

	without []string // of metric names, not shown
}

type (
	connKey     struct{}
	exchangeKey struct{}
)

// keepConn lets handlers find the connection of a request.
func keepConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// exchangeOf is nil on a server without faults.
func exchangeOf(r *http.Request) *exchange {
	x, _ := r.Context().Value(exchangeKey{}).(*exchange)
	return x
}

// meet returns the exchange of request n, with the faults of its kind.
func (s *Server) meet(w http.ResponseWriter, r *http.Request, n uint64, scrape bool) (*exchange, *apiError) {
	conn, _ := r.Context().Value(connKey{}).(net.Conn)
	id := r.Header.Get("X-Request-Id")
	x := &exchange{
		s: s, w: w, r: r, conn: conn, random: rand.New(rand.NewPCG(s.Faults.Seed, n)),
		truth: Truth{RequestID: id, Arrived: time.Now()},
	}
	faults := s.Faults.pick(id, n)
	if wanted := r.Header.Get(FaultHeader); wanted != "" && s.Faults.Header {
		var err error
		if faults, err = ParseFaults(wanted); err != nil {
			return nil, badRequest("", "header %s: %v", FaultHeader, err)
		}
	}
	for i := range faultKinds { // in the table's order, whatever the order asked
		for _, f := range faults {
			if f.kind == &faultKinds[i] && f.kind.scrape == scrape {
				x.truth.Faults = append(x.truth.Faults, f)
			}
		}
	}
	return x, nil
}

// A generator answers a generation request whose body is read.
type generator func(http.ResponseWriter, *http.Request, []byte) *apiError

// withFaults lets faults at the requests of next.
func (s *Server) withFaults(next generator) generator {
	if !s.Faults.active() {
		return next
	}
	return func(w http.ResponseWriter, r *http.Request, body []byte) *apiError {
		x, refused := s.meet(w, r, s.generations.Add(1)-1, false)
		if refused != nil {
			return refused
		}
		x.truth.CacheSalt = fastjson.GetString(body, "cache_salt")
		defer x.tell()
		if x.err = x.begin(); x.err == nil {
			refused = next(w, r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x)), body)
			if refused != nil {
				x.truth.Status, x.truth.End = refused.Code, Refused
			}
		}
		if x.err == errCut || x.err == errLeft {
			panic(http.ErrAbortHandler)
		}
		return refused
	}
}

// begin has each fault do what it does before the answer, or prepare what it does in it.
func (x *exchange) begin() error {
	for _, f := range x.truth.Faults {
		if err := f.kind.apply(x, f); err != nil {
			return err
		}
	}
	return nil
}

// tell reports what happened.
func (x *exchange) tell() {
	if x.s.Faults.Truth == nil {
		return
	}
	x.truth.Ended = time.Now()
	switch {
	case x.truth.End != "":
	case errors.Is(x.err, errEnded):
		x.truth.End = Ended
	case errors.Is(x.err, errCut):
		x.truth.End = Closed
	case x.err == nil && x.truth.Status != 0:
		x.truth.End = Completed
	default:
		x.truth.End = Left
	}
	x.s.Faults.Truth(x.truth)
}

func (x *exchange) ctx() context.Context { return x.r.Context() }

// ask notes how faults change what is asked of the engine.
func (x *exchange) ask(g *generation) {
	if x == nil {
		return
	}
	for _, change := range x.asks {
		change(g)
	}
}

// answered notes an answer that was no stream.
func (x *exchange) answered(j *job, complete bool) {
	if x == nil {
		return
	}
	x.truth.PromptTokens, x.truth.Generated = len(j.Prompt), int(j.produced.Load())
	if x.err = errLeft; complete {
		x.err, x.truth.Status = nil, http.StatusOK
	}
}

// sleep sends nothing for as long as d says, and while the client is there.
func (x *exchange) sleep(d wait) error {
	timer := time.NewTimer(time.Duration(d))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-x.ctx().Done():
	case <-x.s.engine.stopped:
	}
	return errLeft
}

// reset ends the connection with an RST, which discards what the client has not read.
func (x *exchange) reset() error {
	x.truth.End = Reset
	if c, ok := x.conn.(interface{ SetLinger(int) error }); ok {
		_ = c.SetLinger(0) // without it the connection is only closed
	}
	return errCut
}

// halfClose ends the server's side of the connection, and waits for the client's.
func (x *exchange) halfClose() error {
	if c, ok := x.conn.(interface{ CloseWrite() error }); ok && c.CloseWrite() == nil {
		x.truth.End = Closed
		_ = x.sleep(forEver)
	}
	return errCut
}
